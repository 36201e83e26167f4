//! The convergence rule at its boundaries.

#![cfg(test)]

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::verdict::{Action, Plan, PolicyContext, Progress, Question, Verdict};
use policy_convergence::{Convergence, ConvergenceConfig};

#[track_caller]
fn check(config: ConvergenceConfig, completed: u32, best_so_far: f64, code: &str) {
    let mut policy = Convergence::create(config, ()).unwrap();
    let unit = "generation".to_owned();
    let progress = Progress { unit, completed, best_so_far, ..Progress::default() };
    let verdict = policy.judge(&Question::Progress(progress), &PolicyContext::default()).unwrap();
    let action = if code.is_empty() { Action::Allow } else { Action::HaltRun };
    assert_eq!((verdict.code.as_str(), verdict.action), (code, action));
}

#[test]
fn it_halts_above_the_threshold_after_generation_10() {
    check(ConvergenceConfig::default(), 11, 0.991, "converged");
    check(ConvergenceConfig::default(), 11, 0.99, "");
    check(ConvergenceConfig::default(), 10, 0.991, "");
    check(ConvergenceConfig::default(), 11, f64::NAN, "");
}

#[test]
fn both_numbers_can_be_set() {
    let config = || ConvergenceConfig { after: 0, threshold: 0.5 };
    check(config(), 1, 0.51, "converged");
    check(config(), 1, 0.5, "");
}

#[test]
fn other_questions_are_none_of_its_business() {
    let mut policy = Convergence::create(ConvergenceConfig::default(), ()).unwrap();
    let plan = Question::Plan(Plan::default());
    assert_eq!(policy.judge(&plan, &PolicyContext::default()), Ok(Verdict::allow()));
}
