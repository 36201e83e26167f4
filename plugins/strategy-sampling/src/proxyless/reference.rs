//! The architecture weights against PyTorch's autograd (`tests/reference/make_reference.py`).

use nas_plugin_api::component::{Component, OneShotStrategy, Report, StrategyContext};
use nas_plugin_api::serde_json::{self, Value};
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::trial::Fidelity;

use super::config::{CostLoss, Gates, ProxylessConfig};
use super::gates::Drawn;
use super::strategy::Proxyless;
use crate::path_costs::PathCosts;

/// Three choices of 4, 3 and 2 paths, as the script assumes.
fn space() -> Space {
    let mut builder = TemplateBuilder::new("reference");
    let mut x = builder.input([4, 8, 8]);
    for (id, candidates) in [
        ("first", ["a", "b", "c", "d"].as_slice()),
        ("second", &["a", "b", "skip"]),
        ("third", &["a", "b"]),
    ] {
        x = builder.operation(id, candidates, x);
    }
    Space::new(builder.finish(x).unwrap()).unwrap()
}

fn strategy(case: &Value, reference: &Value) -> Proxyless {
    let config = ProxylessConfig {
        gates: if case["gates"] == "two" { Gates::Two } else { Gates::FullV2 },
        cost_loss: serde_json::from_value::<CostLoss>(case["cost_loss"].clone()).unwrap(),
        reference_cost: reference["reference_cost"].as_f64(),
        ..ProxylessConfig::default()
    };
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    let context = StrategyContext {
        space: space(),
        seed: 0,
        objectives: Vec::new(),
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    Proxyless::create(config, context).unwrap()
}

/// What the step drew, choice by choice.
fn drawn(step: &Value) -> Vec<Drawn> {
    let probabilities: Vec<Vec<f64>> =
        serde_json::from_value(step["probabilities"].clone()).unwrap();
    let active: Vec<usize> = serde_json::from_value(step["active"].clone()).unwrap();
    let inactive: Vec<usize> = serde_json::from_value(step["inactive"].clone()).unwrap();
    let choices = active.iter().zip(probabilities).enumerate();
    choices
        .map(|(choice, (&open, probabilities))| match inactive.get(choice) {
            None => Drawn::All { open: vec![open], probabilities },
            Some(&shut) => {
                let probabilities = [probabilities[0], probabilities[1]];
                Drawn::Two { paths: [open, shut], probabilities }
            }
        })
        .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn check_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let both_absent = found.is_nan() && expected.is_nan();
        let tolerance = 1e-10 * (1.0 + expected.abs());
        let close = both_absent || (found - expected).abs() < tolerance;
        assert!(close, "{what} {place}: {found} {expected}");
    }
}

#[test]
fn gradients_and_steps_agree_with_pytorch() {
    let reference: Value =
        serde_json::from_str(include_str!("../../tests/reference/proxyless.json")).unwrap();
    let layout = MixtureLayout::new(&space());
    for case in reference["cases"].as_array().unwrap() {
        let mut strategy = strategy(case, &reference);
        strategy.state.alpha = numbers(&case["alpha"]);
        let path_costs = numbers(&reference["costs"]);
        let fixed_cost = reference["fixed_cost"].as_f64().unwrap();
        for step in case["steps"].as_array().unwrap() {
            let report = Report {
                losses: vec![step["loss"].as_f64().unwrap()],
                gradient: numbers(&step["gradient"]),
                path_costs: path_costs.clone(),
                fixed_cost,
                ..Report::default()
            };
            let drawn = drawn(step);
            let costs = PathCosts::new(&path_costs, fixed_cost, &layout, "test").unwrap();
            let expected_cost = step["expected_cost"].as_f64().unwrap();
            check_close("cost", &[strategy.expected_cost(&drawn, &costs)], &[expected_cost]);

            // A choice without gradient is null.
            let choices = strategy.choices.searched.iter().map(|searched| searched.paths.len());
            let expected: Vec<f64> = choices
                .zip(step["alpha_gradient"].as_array().unwrap())
                .flat_map(|(n, gradient)| match gradient {
                    Value::Null => vec![f64::NAN; n],
                    known => numbers(known),
                })
                .collect();
            let found = strategy.alpha_gradient(&drawn, &report).unwrap();
            check_close("gradient", &found, &expected);

            strategy.learn(&drawn, &report).unwrap();
            check_close("alpha", &strategy.alpha(), &numbers(&step["alpha"]));
        }
    }
}

#[test]
fn probabilities_are_those_of_pytorch() {
    let reference: Value =
        serde_json::from_str(include_str!("../../tests/reference/proxyless.json")).unwrap();
    let case = &reference["cases"][0];
    let strategy = strategy(case, &reference);
    let alpha = numbers(&case["alpha"]);
    let expected: Vec<f64> =
        case["steps"][0]["probabilities"].as_array().unwrap().iter().flat_map(numbers).collect();
    check_close("relaxation", &strategy.relax_at(&alpha).unwrap().weights, &expected);
}
