//! Every method's relaxation and update against PyTorch.
//!
//! The arrays, and the script that made them, are in `tests/reference`. The strategy itself is
//! driven; the reference's first architecture weights, and what it drew, are written into the
//! strategy's saved state.

use nas_plugin_api::component::{Command, Component, Mixture, Need, OneShotStrategy, Report};
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::serde_json::{self, Value};
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::dirichlet;
use strategy_darts::one_shot::OneShot;
use strategy_darts::relaxation::Relaxation;
use strategy_darts::schedule::{cosine, linear};
use strategy_darts::{
    Darts, DartsConfig, DartsPt, DartsPtConfig, DrNas, DrNasConfig, FairDarts, FairDartsConfig,
    Gdas, GdasConfig, PDarts, PDartsConfig, PcDarts, PcDartsConfig, Regularizer, Snas, SnasConfig,
    ZeroOneLoss, skip_dropout, temperature,
};

use crate::spaces::context;

/// Edges of the node, and operations of an edge.
const EDGES: usize = 3;
const OPERATIONS: usize = 5;
/// Paths of the edges' choices; those of the node follow.
const PATHS: usize = EDGES * OPERATIONS;

fn space() -> Space {
    let mut template = TemplateBuilder::new("reference");
    let x = template.input([4, 8, 8]);
    let candidates = ["conv_1", "conv_2", "conv_3", "conv_4", "conv_5"];
    let edges: Vec<NodeIndex> = (0..EDGES)
        .map(|edge| template.operation(&format!("edge_{edge}"), &candidates, x))
        .collect();
    let node = template.chosen_inputs("node", &edges, 2, 2);
    Space::new(template.finish(node).unwrap()).unwrap()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-10, "{what}, place {place}: {a} here, {b} in PyTorch");
    }
}

/// Changes a strategy's saved state.
fn edit_state(strategy: &mut dyn OneShotStrategy, edit: impl FnOnce(&mut Value)) {
    let mut state: Value = serde_json::from_slice(&strategy.save().unwrap()).unwrap();
    edit(&mut state);
    strategy.restore(&serde_json::to_vec(&state).unwrap()).unwrap();
}

/// Takes the reference's architecture steps with a strategy that steps the architecture weights
/// first, or from one batch with the network weights.
#[track_caller]
fn check(mut strategy: Box<dyn OneShotStrategy>, reference: &str, relaxation: Relaxation) {
    let reference = read(reference);
    let has_edge_weights = !reference["beta"].is_null();
    edit_state(strategy.as_mut(), |state| {
        let first = numbers(&reference["alpha"]).into_iter();
        let edges = match has_edge_weights {
            true => numbers(&reference["beta"]),
            false => vec![0.0; EDGES],
        };
        let all: Vec<f64> = first.chain(edges).collect();
        state["alpha"]["numbers"] = serde_json::to_value(all).unwrap();
    });
    let report = |gradient: Vec<f64>| Report {
        steps_per_epoch: 1000,
        losses: vec![1.0],
        gradient,
        ..Report::default()
    };
    let mut command = strategy.next(&report(Vec::new())).unwrap();
    for step in reference["steps"].as_array().unwrap() {
        while !matches!(command, Command::ArchStep { .. } | Command::SingleLevel { .. }) {
            command = strategy.next(&report(Vec::new())).unwrap();
        }
        let (Command::ArchStep { mixture, .. } | Command::SingleLevel { mixture }) = command else {
            unreachable!("the loop ends with one of them");
        };
        let alpha: Vec<f64> = strategy.alpha()[..PATHS].to_vec();
        let soft = numbers(&step["soft"]);
        let sent = Mixture {
            weights: numbers(&step["sent"]),
            needs: step["computed"]
                .as_array()
                .unwrap()
                .iter()
                .map(|computed| if computed == true { Need::ForwardGrad } else { Need::Skip })
                .collect(),
        };
        if step.get("noise").is_some() {
            check_noise(relaxation, &alpha, step, &sent);
        } else if relaxation != Relaxation::Dirichlet {
            close("relaxation", &mixture.weights[..PATHS], &soft);
            assert_eq!(mixture.needs[..PATHS], sent.needs);
        }
        if has_edge_weights {
            close("edge weights", &mixture.weights[PATHS..], &numbers(&step["edge_weights"]));
        }
        // What the reference drew instead of what was drawn here.
        edit_state(strategy.as_mut(), |state| {
            let all = |of_paths: &[f64]| [of_paths, &mixture.weights[PATHS..]].concat();
            let needs = [&sent.needs[..], &mixture.needs[PATHS..]].concat();
            let drawn = Mixture { weights: all(&sent.weights), needs };
            state["awaited"]["soft"] = serde_json::to_value(all(&soft)).unwrap();
            state["awaited"]["mixture"] = serde_json::to_value(drawn).unwrap();
        });
        let computed = |(gradient, need): (f64, &Need)| match need {
            Need::ForwardGrad => gradient,
            _ => f64::NAN,
        };
        let gradient = numbers(&step["gradient"]).into_iter().zip(&sent.needs).map(computed);
        let of_edges = match has_edge_weights {
            true => numbers(&step["edge_gradient"]),
            false => vec![f64::NAN; EDGES],
        };
        command = strategy.next(&report(gradient.chain(of_edges).collect())).unwrap();
        let alpha = strategy.alpha();
        close("architecture weights", &alpha[..PATHS], &numbers(&step["alpha"]));
        match has_edge_weights {
            true => close("edges' weights", &alpha[PATHS..], &numbers(&step["beta"])),
            false => assert!(alpha[PATHS..].iter().all(|alpha| alpha.is_nan())),
        }
    }
}

/// Compares the weights under the reference's noise.
#[track_caller]
fn check_noise(relaxation: Relaxation, alpha: &[f64], step: &Value, sent: &Mixture) {
    let (noise, soft) = (numbers(&step["noise"]), numbers(&step["soft"]));
    let expected = step["temperature"].as_f64().unwrap();
    let (Relaxation::GumbelSoftmax { temperature } | Relaxation::StraightThrough { temperature }) =
        relaxation
    else {
        panic!("noise for a relaxation without");
    };
    assert_eq!(temperature, expected);
    for edge in 0..EDGES {
        let paths = edge * OPERATIONS..(edge + 1) * OPERATIONS;
        let drawn = relaxation.with_noise(&alpha[paths.clone()], &noise[paths.clone()]);
        close("soft weights", &drawn.soft, &soft[paths.clone()]);
        let open = |(place, &soft): (usize, &f64)| match drawn.open {
            None => soft,
            Some(open) => f64::from(u8::from(open == place)),
        };
        let weights: Vec<f64> = drawn.soft.iter().enumerate().map(open).collect();
        close("weights", &weights, &sent.weights[paths]);
    }
}

#[test]
fn darts() {
    let strategy = OneShot::<Darts>::create(DartsConfig::default(), context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/darts.json");
    check(Box::new(strategy), reference, Relaxation::Softmax);
}

/// Until it decides, it is DARTS, with DARTS' numbers.
#[test]
fn darts_pt() {
    let strategy = OneShot::<DartsPt>::create(DartsPtConfig::default(), context(&space(), 0));
    let reference = include_str!("../reference/darts.json");
    check(Box::new(strategy.unwrap()), reference, Relaxation::Softmax);
}

#[test]
fn gdas() {
    let strategy = OneShot::<Gdas>::create(GdasConfig::default(), context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/gdas.json");
    check(Box::new(strategy), reference, Relaxation::StraightThrough { temperature: 10.0 });
}

#[test]
fn snas() {
    let strategy = OneShot::<Snas>::create(SnasConfig::default(), context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/snas.json");
    check(Box::new(strategy), reference, Relaxation::GumbelSoftmax { temperature: 1.0 });
}

#[test]
fn pc_darts() {
    let config = PcDartsConfig { frozen_epochs: 0, ..PcDartsConfig::default() };
    let strategy = OneShot::<PcDarts>::create(config, context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/pc_darts.json");
    check(Box::new(strategy), reference, Relaxation::Softmax);
}

#[test]
fn drnas() {
    let config = DrNasConfig { frozen_epochs: 0, ..DrNasConfig::default() };
    let strategy = OneShot::<DrNas>::create(config, context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/drnas.json");
    check(Box::new(strategy), reference, Relaxation::Dirichlet);
}

#[test]
fn drnas_with_divergence() {
    let regularizer = Regularizer::Kl;
    let config = DrNasConfig { frozen_epochs: 0, regularizer, ..DrNasConfig::default() };
    let strategy = OneShot::<DrNas>::create(config, context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/drnas_kl.json");
    check(Box::new(strategy), reference, Relaxation::Dirichlet);
}

#[test]
fn drnas_gradients_agree_with_those_that_pytorch_approximates() {
    let reference = read(include_str!("../reference/drnas.json"));
    let mut alpha = numbers(&reference["alpha"]);
    for step in reference["steps"].as_array().unwrap() {
        let (soft, direction) = (numbers(&step["soft"]), numbers(&step["direction"]));
        let pytorch = numbers(&step["pytorch"]);
        let largest = pytorch.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
        for edge in 0..EDGES {
            let paths = edge * OPERATIONS..(edge + 1) * OPERATIONS;
            let mut result = [0.0; OPERATIONS];
            let of = |all: &[f64]| all[paths.clone()].to_vec();
            dirichlet::pull_back(&of(&alpha), &of(&soft), &of(&direction), &mut result);
            for (a, b) in result.iter().zip(&pytorch[paths.clone()]) {
                assert!((a - b).abs() < 0.01 * largest, "{a} here, {b} in PyTorch");
            }
        }
        alpha = numbers(&step["alpha"]);
    }
}

#[test]
fn p_darts() {
    let config = PDartsConfig { frozen_epochs: 0, ..PDartsConfig::default() };
    let strategy = OneShot::<PDarts>::create(config, context(&space(), 0)).unwrap();
    let reference = include_str!("../reference/p_darts.json");
    check(Box::new(strategy), reference, Relaxation::Softmax);
}

#[test]
fn fair_darts() {
    for (zero_one_loss, reference) in [
        (ZeroOneLoss::L2, include_str!("../reference/fair_darts.json")),
        (ZeroOneLoss::L1, include_str!("../reference/fair_darts_l1.json")),
    ] {
        let config = FairDartsConfig { zero_one_loss, ..FairDartsConfig::default() };
        let strategy = OneShot::<FairDarts>::create(config, context(&space(), 0)).unwrap();
        check(Box::new(strategy), reference, Relaxation::Sigmoid);
    }
}

#[test]
fn schedules() {
    let reference = read(include_str!("../reference/schedules.json"));
    let rates: Vec<f64> = (0..50).map(|epoch| cosine(0.025, 0.001, epoch, 50)).collect();
    close("learning rates", &rates, &numbers(&reference["cosine"]));
    let falling: Vec<f64> = (0..250).map(|epoch| linear(10.0, 0.1, epoch, 250)).collect();
    close("temperatures of GDAS", &falling, &numbers(&reference["gdas_temperature"]));
    let config = SnasConfig::default();
    let falling: Vec<f64> = (0..150).map(|epoch| temperature(&config, epoch)).collect();
    close("temperatures of SNAS", &falling, &numbers(&reference["snas_temperature"]));
    let rates: Vec<f64> = (0..25).map(|epoch| skip_dropout(0.4, epoch, 25, 10)).collect();
    close("dropout of P-DARTS", &rates, &numbers(&reference["p_darts_dropout"]));
}
