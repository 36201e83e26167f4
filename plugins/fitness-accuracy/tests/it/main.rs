//! Scores of both fitness functions.

#![cfg(test)]

use fitness_accuracy::{Accuracy, AccuracyConfig, AccuracyParameters, AccuracyParametersConfig};
use nas_plugin_api::component::{Component, Fitness};
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::objective::Objective;

#[test]
fn accuracy_is_the_measurement() {
    let mut fitness = Accuracy::create(AccuracyConfig::default(), ()).unwrap();
    let measurements = Measurements::from([("validation_accuracy", 0.75)]);
    assert_eq!(fitness.score(&measurements, &Cost::default()), Ok(vec![0.75]));
    assert_eq!(fitness.needs(), ["validation_accuracy"]);
    assert_eq!(fitness.objectives(), [Objective::maximize("validation_accuracy")]);
}

#[test]
fn another_measurement_can_be_named() {
    let config = AccuracyConfig { measurement: "test_accuracy".to_owned() };
    let mut fitness = Accuracy::create(config, ()).unwrap();
    let measurements = Measurements::from([("validation_accuracy", 0.75)]);
    let error = fitness.score(&measurements, &Cost::default()).unwrap_err();
    assert_eq!(error.to_string(), "score a trial without `test_accuracy`");
    assert_eq!(fitness.objectives(), [Objective::maximize("test_accuracy")]);
}

#[track_caller]
fn check(parameters: u64, expected: f64) {
    let config = AccuracyParametersConfig::default();
    let mut fitness = AccuracyParameters::create(config, ()).unwrap();
    let measurements = Measurements::from([("validation_accuracy", 0.9)]);
    let cost = Cost { parameters, ..Cost::default() };
    let score = fitness.score(&measurements, &cost).unwrap();
    assert!(score.len() == 1 && (score[0] - expected).abs() < 1e-12, "{score:?}");
}

#[test]
fn parameters_cost_a_tenth_at_the_limit() {
    check(0, 0.9);
    check(25_000_000, 0.85);
    check(50_000_000, 0.8);
}

#[test]
fn a_network_over_the_limit_scores_minus_one() {
    check(50_000_001, -1.0);
}

#[test]
fn a_limit_of_zero_is_refused() {
    let config = AccuracyParametersConfig { limit: 0, ..Default::default() };
    assert!(AccuracyParameters::create(config, ()).is_err());
}
