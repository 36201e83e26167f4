//! What is an anomaly, and what an honest search does.

#![cfg(test)]

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{
    Action, Candidate, History, PolicyContext, Progress, Question, Review, Verdict,
};
use policy_anomaly::{Anomaly, AnomalyConfig};

fn policy(config: AnomalyConfig) -> Anomaly {
    Anomaly::create(config, ()).unwrap()
}

fn review(outcome: Outcome, accuracy: f64) -> Question {
    Question::Review(Review {
        candidate: Candidate::default(),
        outcome,
        measurements: Measurements([("validation_accuracy".to_owned(), accuracy)].into()),
        objectives: vec![accuracy],
    })
}

fn ask(policy: &mut Anomaly, question: &Question) -> Verdict {
    policy.judge(question, &PolicyContext::default()).unwrap()
}

/// After so many ended proposals of each outcome.
fn after(outcomes: &[(&str, u64)]) -> PolicyContext {
    let outcomes = outcomes.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let history = History { outcomes, ..History::default() };
    PolicyContext { history, ..PolicyContext::default() }
}

/// What is said after each of these histories.
#[track_caller]
fn check_rates(histories: &[PolicyContext], expected: &[(Action, &str)]) {
    let mut policy = policy(AnomalyConfig::default());
    let question = Question::Candidate(Candidate::default());
    let said: Vec<(Action, String)> = histories
        .iter()
        .map(|context| policy.judge(&question, context).unwrap())
        .map(|verdict| (verdict.action, verdict.code))
        .collect();
    let expected: Vec<(Action, String)> =
        expected.iter().map(|(action, code)| (action.clone(), (*code).to_owned())).collect();
    assert_eq!(said, expected);
}

#[test]
fn an_accuracy_that_cannot_be_halts() {
    let mut policy = policy(AnomalyConfig::default());
    for accuracy in [1.000_001, -0.1, f64::INFINITY] {
        let verdict = ask(&mut policy, &review(Outcome::Finished, accuracy));
        assert_eq!(
            (verdict.action, verdict.code.as_str()),
            (Action::HaltRun, "impossible_accuracy")
        );
    }
    let epoch = |best| {
        Question::Progress(Progress { unit: "epoch".to_owned(), best, ..Progress::default() })
    };
    assert_eq!(ask(&mut policy, &epoch(1.5)).action, Action::HaltRun);
    assert_eq!(ask(&mut policy, &epoch(f64::NAN)).action, Action::HaltRun);
    assert_eq!(ask(&mut policy, &epoch(f64::NEG_INFINITY)).action, Action::Allow);
    assert_eq!(ask(&mut policy, &epoch(1.0)).action, Action::Allow);
}

#[test]
fn one_nan_spoils_its_own_trial_only() {
    let mut policy = policy(AnomalyConfig::default());
    let verdict = ask(&mut policy, &review(Outcome::Finished, f64::NAN));
    assert_eq!((verdict.action, verdict.code.as_str()), (Action::RejectCandidate, "not_finite"));
    let verdict = ask(&mut policy, &review(Outcome::Diverged, f64::NAN));
    assert_eq!(verdict.action, Action::Allow, "it has no result that could count");
}

#[test]
fn networks_that_all_guess_the_same_halt() {
    let mut stuck = policy(AnomalyConfig::default());
    let said: Vec<Action> =
        (0..10).map(|_| ask(&mut stuck, &review(Outcome::Finished, 0.0983)).action).collect();
    assert_eq!(said[..9], vec![Action::Allow; 9]);
    assert_eq!(said[9], Action::HaltRun);
    let mut perfect = policy(AnomalyConfig::default());
    assert!(
        (0..50).all(|_| {
            ask(&mut perfect, &review(Outcome::Finished, 1.0)).action == Action::Allow
        })
    );
}

#[test]
fn networks_at_chance_halt_where_chance_is_known() {
    let config = AnomalyConfig { chance: Some(0.1), ..AnomalyConfig::default() };
    let mut at_chance = policy(config);
    let accuracies = (0..10).map(|n| 0.09 + 0.001 * f64::from(n));
    let said: Vec<Action> =
        accuracies.map(|a| ask(&mut at_chance, &review(Outcome::Finished, a)).action).collect();
    assert_eq!(said.last(), Some(&Action::HaltRun));
    assert_eq!(said.iter().filter(|action| **action == Action::HaltRun).count(), 1);
}

#[test]
fn too_many_failures_halt() {
    check_rates(
        &[
            after(&[("finished", 10), ("failed", 15)]),
            after(&[("finished", 20), ("failed", 28), ("duplicate", 10)]),
        ],
        &[(Action::Allow, ""), (Action::HaltRun, "failure_rate")],
    );
}

#[test]
fn failures_of_long_ago_are_forgotten() {
    check_rates(
        &[
            after(&[("failed", 49)]),
            after(&[("failed", 49), ("finished", 30)]),
            after(&[("failed", 49), ("finished", 60)]),
        ],
        &[(Action::Allow, ""), (Action::HaltRun, "failure_rate"), (Action::Allow, "")],
    );
}

#[test]
fn too_many_refusals_halt_and_duplicates_warn_once_a_window() {
    check_rates(
        &[after(&[("refused", 40), ("invalid", 20), ("finished", 2)])],
        &[(Action::HaltRun, "refusal_rate")],
    );
    check_rates(
        &[
            after(&[("duplicate", 59), ("finished", 1)]),
            after(&[("duplicate", 79), ("finished", 1)]),
            after(&[("duplicate", 119), ("finished", 1)]),
        ],
        &[(Action::Warn, "duplicate_rate"), (Action::Allow, ""), (Action::Warn, "duplicate_rate")],
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    assert!(Anomaly::create(AnomalyConfig { window: 4, ..Default::default() }, ()).is_err());
    let config = AnomalyConfig { max_failure_rate: 1.5, ..Default::default() };
    assert!(Anomaly::create(config, ()).is_err());
    let config = AnomalyConfig { chance: Some(f64::NAN), ..Default::default() };
    assert!(Anomaly::create(config, ()).is_err());
}
