//! The adaptive form: more weight decay, and on.

use nas_plugin_api::verdict::{Action, evidence};
use policy_collapse::{Collapse, CollapseConfig, Response};

use crate::{epoch, judge, policy};

/// Runs epochs of a search that always collapses, going back where it is told to; returns where it
/// was told, where to, and the factor of the weight decay.
fn run(policy: &mut Collapse, epochs: u32) -> Vec<(u32, u32, f64)> {
    let mut told = Vec::new();
    let mut number = 0;
    while number < epochs {
        let eigenvalue = 0.1 * 1.2_f64.powi(number as i32);
        let verdict = judge(policy, &epoch(number, &[("hessian_eigenvalue", eigenvalue)]));
        number += 1;
        if let Action::RollBack { epoch } = verdict.action {
            told.push((number - 1, epoch, verdict.evidence[evidence::WEIGHT_DECAY_FACTOR]));
            number = epoch + 1;
        } else {
            assert_eq!(verdict.action, Action::Allow);
        }
    }
    told
}

fn config() -> CollapseConfig {
    CollapseConfig { response: Response::Adapt, ..CollapseConfig::default() }
}

#[test]
fn weight_decay_is_raised_tenfold_up_to_the_highest() {
    // 3e-4, 3e-3, 3e-2: from there the search goes on to its end.
    assert_eq!(run(&mut policy(config()), 50), [(22, 10, 10.0), (22, 10, 10.0)]);
}

#[test]
fn the_factor_and_the_highest_can_be_set() {
    let config = CollapseConfig { weight_decay_factor: 3.0, max_weight_decay: 243e-4, ..config() };
    assert_eq!(run(&mut policy(config), 50), [(22, 10, 3.0); 4]);
}

#[test]
fn a_stop_carries_no_factor() {
    let mut policy = policy(CollapseConfig::default());
    let verdict = (0..).map(|number| {
        let eigenvalue = 0.1 * 1.2_f64.powi(number as i32);
        judge(&mut policy, &epoch(number, &[("hessian_eigenvalue", eigenvalue)]))
    });
    let verdict = verdict.take(50).find(|verdict| verdict.action != Action::Allow).unwrap();
    assert_eq!(verdict.code, "collapse");
    assert!(!verdict.evidence.contains_key(evidence::WEIGHT_DECAY_FACTOR));
    assert!(verdict.evidence["ratio"] > 1.3);
}

#[test]
fn the_same_questions_give_the_same_answers() {
    let (mut one, mut other) = (policy(config()), policy(config()));
    assert_eq!(run(&mut one, 50), run(&mut other, 50));
}
