//! Both rules on honest curves and on runaways.

#![cfg(test)]

mod compute;
mod original;
mod robust;

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::verdict::{Action, Plan, PolicyContext, Progress, Question, Verdict};
use policy_runaway::{Runaway, RunawayConfig};

/// What one unit of a search showed.
fn progress(unit: &str, completed: u32, best: f64, best_so_far: f64) -> Question {
    let unit = unit.to_owned();
    Question::Progress(Progress { unit, completed, best, best_so_far, ..Progress::default() })
}

/// The first halt on this curve of best fitness: after how many units, and its code.
fn first_halt(config: RunawayConfig, unit: &str, curve: &[f64]) -> Option<(usize, String)> {
    let mut policy = Runaway::create(config, ()).unwrap();
    let mut best_so_far = f64::NEG_INFINITY;
    for (index, &best) in curve.iter().enumerate() {
        best_so_far = best_so_far.max(best);
        let question = progress(unit, index as u32 + 1, best, best_so_far);
        let Verdict { action, code, .. } =
            policy.judge(&question, &PolicyContext::default()).unwrap();
        if action == Action::HaltRun {
            return Some((index + 1, code));
        }
        assert_eq!(action, Action::Allow);
    }
    None
}

#[test]
fn other_questions_are_none_of_its_business() {
    let mut policy = Runaway::create(RunawayConfig::default(), ()).unwrap();
    let plan = Question::Plan(Plan::default());
    assert_eq!(policy.judge(&plan, &PolicyContext::default()), Ok(Verdict::allow()));
}

#[test]
fn a_window_of_one_is_refused() {
    assert!(Runaway::create(RunawayConfig { window: 1, ..Default::default() }, ()).is_err());
}
