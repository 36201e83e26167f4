//! Scores, needs and mistakes.

#![cfg(test)]

use std::collections::BTreeMap;

use fitness_objectives::{Objectives, ObjectivesConfig};
use nas_plugin_api::component::{Component, Fitness};
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::objective::Objective;

fn config(small: &[&str], limits: &[(&str, f64)]) -> ObjectivesConfig {
    ObjectivesConfig {
        minimize: small.iter().map(|&name| name.to_owned()).collect(),
        limits: limits
            .iter()
            .map(|&(name, limit)| (name.to_owned(), limit))
            .collect::<BTreeMap<_, _>>(),
        ..ObjectivesConfig::default()
    }
}

#[test]
fn costs_are_counted_and_the_rest_is_measured() {
    let config = config(&["latency_ms", "parameters"], &[("latency_ms", 4.0)]);
    let mut fitness = Objectives::create(config, ()).unwrap();
    assert_eq!(fitness.needs(), ["validation_accuracy", "latency_ms"]);
    let expected = [
        Objective::maximize("validation_accuracy"),
        Objective::minimize("latency_ms").with_limit(4.0),
        Objective::minimize("parameters"),
    ];
    assert_eq!(fitness.objectives(), expected);
    let measured = Measurements::from([("validation_accuracy", 0.5), ("latency_ms", 3.0)]);
    let cost = Cost { parameters: 7, ..Cost::default() };
    assert_eq!(fitness.score(&measured, &cost), Ok(vec![0.5, 3.0, 7.0]));
    let error = fitness.score(&Measurements::default(), &cost).unwrap_err();
    assert_eq!(error.to_string(), "score a trial without `validation_accuracy`");
}

#[track_caller]
fn check_refused(config: ObjectivesConfig, expected: &str) {
    let error = Objectives::create(config, ()).err().unwrap();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn objectives_that_make_no_sense_are_refused() {
    check_refused(
        config(&["parameters"], &[("depth", 3.0)]),
        "limit `depth`, which is no objective",
    );
    check_refused(config(&["depth", "depth"], &[]), "`depth` twice");
    check_refused(
        ObjectivesConfig { maximize: Vec::new(), ..config(&[], &[]) },
        "score by no objective",
    );
}
