//! The original rule.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::verdict::{Action, PolicyContext};
use policy_runaway::{Rule, Runaway, RunawayConfig};

use crate::{first_halt, progress};

fn config() -> RunawayConfig {
    RunawayConfig { rule: Rule::Original, ..RunawayConfig::default() }
}

#[track_caller]
fn check(unit: &str, curve: &[f64], halts_after: Option<usize>) {
    let found = first_halt(config(), unit, curve);
    assert_eq!(found, halts_after.map(|units| (units, "runaway".to_owned())));
}

#[test]
fn more_than_half_in_five_checks_halts() {
    check("generation", &[0.0, 0.1, 0.2, 0.3, 0.500_001], Some(5));
    check("generation", &[0.0, 0.1, 0.2, 0.3, 0.5], None);
}

#[test]
fn fewer_than_five_checks_are_no_verdict() {
    check("generation", &[0.0, 0.9, 0.95, 1.0], None);
}

#[test]
fn only_the_last_five_checks_count() {
    check("generation", &[0.0, 0.3, 0.4, 0.45, 0.48, 0.51, 0.6, 0.7, 0.8], None);
    check("generation", &[0.4, 0.4, 0.4, 0.4, 0.4, 0.6, 0.8, 0.95], Some(8));
}

#[test]
fn an_honest_curve_is_a_false_alarm() {
    check("generation", &[0.1, 0.5, 0.75, 0.88, 0.95], Some(5));
}

#[test]
fn a_generation_counts_with_its_survivors() {
    check("generation", &[0.3, 0.8, 0.1, 0.1, 0.8, 0.8], None);
    check("generation", &[0.2, 0.8, 0.1, 0.1, 0.1], Some(5));
}

#[test]
fn a_one_shot_search_is_checked_every_five_epochs() {
    let mut curve = [0.1; 25];
    curve[24] = 0.9;
    check("epoch", &curve, Some(25));
    curve[24] = 0.1;
    curve[23] = 0.9;
    check("epoch", &curve, None);
}

#[test]
fn an_epoch_that_was_rolled_back_is_forgotten() {
    let mut policy = Runaway::create(config(), ()).unwrap();
    let mut judge = |completed, best| {
        let question = progress("epoch", completed, best, best);
        policy.judge(&question, &PolicyContext::default()).unwrap().action
    };
    for epoch in [5, 10, 15, 20, 15, 20] {
        assert_eq!(judge(epoch, 0.1), Action::Allow);
    }
    assert_eq!(judge(25, 0.9), Action::HaltRun);
    assert_eq!(judge(20, 0.1), Action::Allow);
    assert_eq!(judge(25, 0.2), Action::Allow);
}

#[test]
fn generations_without_a_result_are_no_checks() {
    let none = f64::NEG_INFINITY;
    check("generation", &[none, none, none, 0.0, 0.9], None);
}

#[test]
fn window_and_threshold_can_be_set() {
    let config = RunawayConfig { window: 2, threshold: 0.3, ..config() };
    assert_eq!(first_halt(config.clone(), "generation", &[0.0, 0.6]), None);
    assert!(first_halt(config, "generation", &[0.0, 0.7]).is_some());
}
