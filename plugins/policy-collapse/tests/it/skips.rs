//! The skip rule.

use nas_plugin_api::verdict::Action;
use policy_collapse::{CollapseConfig, Rule};

use crate::{epoch, first_verdict, judge, policy};

fn config() -> CollapseConfig {
    CollapseConfig { rule: Rule::Skips, ..CollapseConfig::default() }
}

#[track_caller]
fn check(config: CollapseConfig, curve: &[f64], expected: Option<(u32, Action)>) {
    assert_eq!(first_verdict(config, "skip_share", curve), expected);
}

#[test]
fn too_many_skips_roll_back_to_the_last_sound_epoch() {
    let mut curve = vec![0.125; 30];
    curve[5] = 0.75;
    curve[19] = 0.25;
    curve[20..].fill(0.375);
    check(config(), &curve, Some((20, Action::RollBack { epoch: 19 })));
}

#[test]
fn as_many_as_are_allowed_are_sound() {
    check(config(), &[0.25; 50], None);
    let count = CollapseConfig { max_skips: 2.0, ..config() };
    check(count.clone(), &[2.0; 50], None);
    check(count, &[2.0, 2.0, 3.0, 2.0], None);
}

#[test]
fn a_search_that_was_never_sound_is_halted() {
    check(config(), &[0.5; 30], Some((10, Action::HaltRun)));
}

#[test]
fn either_rule_is_enough() {
    let either = CollapseConfig { rule: Rule::Either, ..CollapseConfig::default() };
    let mut policy = policy(either);
    let mut verdicts = (0..40).map(|number| {
        let eigenvalue = if number < 20 { 0.3 } else { 0.9 };
        let skips = if number < 15 { 0.1 } else { 0.5 };
        let signals = [("hessian_eigenvalue", eigenvalue), ("skip_share", skips)];
        (number, judge(&mut policy, &epoch(number, &signals)))
    });
    let (number, verdict) = verdicts.find(|(_, v)| v.action != Action::Allow).unwrap();
    assert_eq!((number, verdict.action), (15, Action::RollBack { epoch: 14 }));
    assert_eq!(
        verdict.reason,
        "skip_share is 0.500, where 0.25 are allowed; epoch 14 was still sound"
    );
    let (number, verdict) = verdicts.find(|(_, v)| v.reason.contains("eigenvalue")).unwrap();
    assert_eq!((number, verdict.action), (22, Action::RollBack { epoch: 10 }));
}
