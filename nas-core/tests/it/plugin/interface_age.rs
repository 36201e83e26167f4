//! Plugins that were built for another version of the interface.

use nas_plugin_api::component::{Ask, ComponentKind};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Outcome, Trial};
use serde_json::json;

use super::fixture::{Folders, context};

/// Loads the plugin and runs its strategy.
#[track_caller]
fn check(fixture: &str, name: &str) {
    for folders in Folders::isolated_and_trusted(&[fixture]) {
        let registry = folders.scan();
        assert_eq!(registry.broken(), []);
        let mut strategy = registry.strategy(name, &json!({}), &context()).expect("a strategy");
        let asked = strategy.ask(2).expect("an answer");
        let first = Genotype(vec![0, 0, 0]);
        assert_eq!(asked, Ask::Proposals(vec![first.clone().into(); 2]));
        let trial = |id| Trial {
            id,
            proposal: first.clone().into(),
            outcome: Outcome::Finished,
            objectives: vec![0.5],
            measurements: Measurements::default(),
            cost: Cost::default(),
            reason: None,
        };
        strategy.tell(&[trial(0), trial(1)]).expect("it takes trials");
        let state = strategy.save().expect("it saves").expect("it has a state");
        assert_eq!(state, 2_u64.to_le_bytes());
        strategy.restore(&state).expect("it takes its state back");
    }
}

#[test]
fn a_plugin_of_version_1_0_0_still_runs() {
    check("old_plugin", "old");
}

#[test]
fn a_plugin_of_a_later_version_runs() {
    check("newer_plugin", "newer");
}

#[test]
fn a_capability_of_an_unknown_layout_costs_only_its_own_components() {
    let folders = Folders::with(&["half_broken"]);
    let registry = folders.scan();
    registry.find(ComponentKind::Fitness, "half-broken").expect("fitness functions are fine");
    assert!(registry.find(ComponentKind::Strategy, "half-broken").is_err());
    let reasons: Vec<&str> =
        registry.broken().iter().map(|broken| broken.reason.as_str()).collect();
    assert!(
        matches!(reasons.as_slice(), [reason] if reason.starts_with(
            "its strategy components can't be used: use capability `nas.strategy/1`: "
        )),
        "{reasons:?}"
    );
}
