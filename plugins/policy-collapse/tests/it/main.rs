//! The guard on curves that collapse and on curves that do not.

#![cfg(test)]

mod adapt;
mod eigenvalue;
mod skips;

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::verdict::{
    Action, Plan, PolicyContext, Progress, Question, QuestionKind, Verdict,
};
use policy_collapse::{Collapse, CollapseConfig, Response, Rule};

/// What one epoch showed.
fn epoch(epoch: u32, signals: &[(&str, f64)]) -> Question {
    Question::Progress(Progress {
        unit: "epoch".to_owned(),
        completed: epoch + 1,
        signals: signals.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        ..Progress::default()
    })
}

fn judge(policy: &mut Collapse, question: &Question) -> Verdict {
    policy.judge(question, &PolicyContext::default()).unwrap()
}

fn policy(config: CollapseConfig) -> Collapse {
    Collapse::create(config, ()).unwrap()
}

/// The first epoch of this curve that is not allowed, and what is done.
fn first_verdict(config: CollapseConfig, signal: &str, curve: &[f64]) -> Option<(u32, Action)> {
    let mut policy = policy(config);
    (0..).zip(curve).find_map(|(number, value)| {
        let action = judge(&mut policy, &epoch(number, &[(signal, *value)])).action;
        (action != Action::Allow).then_some((number, action))
    })
}

#[test]
fn other_questions_and_other_searches_are_none_of_its_business() {
    let mut policy = policy(CollapseConfig::default());
    assert_eq!(policy.answers(), [QuestionKind::Progress]);
    assert_eq!(judge(&mut policy, &Question::Plan(Plan::default())), Verdict::allow());
    for completed in 1..100 {
        let unit = "generation".to_owned();
        let question = Question::Progress(Progress { unit, completed, ..Progress::default() });
        assert_eq!(judge(&mut policy, &question), Verdict::allow());
    }
}

#[test]
fn it_names_the_signals_that_it_needs() {
    for (rule, names) in [
        (Rule::Eigenvalue, vec!["hessian_eigenvalue"]),
        (Rule::Skips, vec!["skip_share"]),
        (Rule::Either, vec!["hessian_eigenvalue", "skip_share"]),
    ] {
        let policy = policy(CollapseConfig { rule, ..CollapseConfig::default() });
        assert_eq!(policy.needs(QuestionKind::Progress), names);
        assert!(policy.needs(QuestionKind::Review).is_empty());
    }
}

#[test]
fn a_missing_signal_is_said_once() {
    let mut policy = policy(CollapseConfig::default());
    let warnings: Vec<u32> = (0..50)
        .filter(|&number| {
            let verdict = judge(&mut policy, &epoch(number, &[("skip_share", 0.1)]));
            assert!(verdict.action == Action::Allow || verdict.code == "no_signal");
            verdict.action == Action::Warn
        })
        .collect();
    assert_eq!(warnings, [10]);
}

#[test]
fn bad_settings_are_refused() {
    for bad in [
        CollapseConfig { window: 4, ..CollapseConfig::default() },
        CollapseConfig { window: 0, ..CollapseConfig::default() },
        CollapseConfig { distance: 0, ..CollapseConfig::default() },
        CollapseConfig { epochs_between_evaluations: 0, ..CollapseConfig::default() },
        CollapseConfig {
            response: Response::Adapt,
            weight_decay: 0.0,
            ..CollapseConfig::default()
        },
    ] {
        assert!(Collapse::create(bad, ()).is_err());
    }
}
