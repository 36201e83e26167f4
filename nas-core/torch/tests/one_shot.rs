//! Whole one-shot searches, and searches taken up from a checkpoint.
//!
//! A program of its own: dropout draws from libtorch's random numbers, which all tests of a program
//! share.

#![expect(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nas_core::one_shot::PathCost;
use nas_core::protocol::Event;
use nas_core::protocol::one_shot::{
    Checkpoint, ComponentSource, OneShotEpoch, OneShotJob, Order, SearchFound,
};
use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::trial::Fidelity;
use nas_torch::limits::Watch;
use nas_torch::one_shot::{SearchError, Splits, Supervisor, search};
use nas_torch::pixels::Pixels;
use nas_torch::random::Random;
use serde_json::{Value, json};
use tch::Device;

// Linked, so that their components are found in this program.
use ops_darts as _;
use space_darts as _;
use strategy_darts as _;
use strategy_sampling as _;

/// Answers each epoch with the next of these orders, then with `Continue`.
#[derive(Default)]
struct Script {
    orders: Vec<Order>,
    epochs: Vec<OneShotEpoch>,
    lines: Vec<String>,
}

impl Supervisor for Script {
    fn tell(&mut self, event: Event) -> io::Result<()> {
        if let Event::EpochEnded(epoch) = event {
            self.epochs.push(*epoch);
        }
        Ok(())
    }

    fn order(&mut self) -> io::Result<Order> {
        match self.orders.is_empty() {
            true => Ok(Order::Continue),
            false => Ok(self.orders.remove(0)),
        }
    }

    fn log(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }
}

fn component(kind: ComponentKind, name: &str, config: Value) -> ComponentSource {
    ComponentSource { kind, name: name.to_owned(), library: None, config }
}

/// Batches are of 8 images where the configuration says nothing.
fn job(folder: &Path, strategy: &str, mut config: Value) -> OneShotJob {
    if let Value::Object(settings) = &mut config {
        settings.entry("batch_size").or_insert(json!(8));
    }
    OneShotJob {
        operations: component(ComponentKind::Operations, "darts", json!({})),
        space: component(ComponentKind::Space, "darts", json!({"nodes": 2})),
        strategy: component(ComponentKind::OneShotStrategy, strategy, config),
        plugin_cache: folder.to_owned(),
        scale: Scale {
            input: Shape::from([1, 8, 8]),
            classes: 3,
            channels: Some(4),
            cells: Some(3),
            auxiliary_head: false,
            role: Role::Search,
        },
        objectives: Vec::new(),
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        recipe: Recipe { batch_size: 8, ..Recipe::default() },
        data_fraction: 1.0,
        seed: 7,
        signals: Vec::new(),
        path_cost: PathCost::default(),
        weight_decay_factor: 1.0,
        checkpoints: folder.to_owned(),
        resume_from: None,
        cpu_seconds: f64::INFINITY,
        memory_bytes: u64::MAX,
        log: folder.join("log"),
    }
}

/// Images whose class is where they are bright.
fn images(seed: u64, n_images: usize) -> Pixels {
    let mut random = Random::new(seed, 0);
    let labels: Vec<i64> = (0..n_images).map(|_| random.below(3) as i64).collect();
    let mut bytes = Vec::new();
    for &label in &labels {
        for place in 0..64 {
            let is_bright = place / 22 == label as usize;
            bytes.push((random.below(60) + if is_bright { 180 } else { 0 }) as u8);
        }
    }
    Pixels { bytes, labels, shape: [1, 8, 8], mean: vec![0.4], std: vec![0.3] }
}

/// libtorch's random numbers and threads are the process's; searches take turns.
static TURN: Mutex<()> = Mutex::new(());

fn run(job: &OneShotJob, orders: Vec<Order>) -> (Result<SearchFound, SearchError>, Script) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (train, validation) = (images(1, 40), images(2, 32));
    let splits = Splits { train: &train, validation: &validation };
    let mut script = Script { orders, ..Script::default() };
    let found = search(job, splits, Device::Cpu, &mut Watch::unlimited(), &mut script);
    (found, script)
}

/// What is the same however an epoch was reached.
fn trace(epoch: &OneShotEpoch) -> (Checkpoint, Vec<u64>, u64) {
    let alpha = epoch.alpha.iter().map(|number| number.to_bits()).collect();
    (epoch.checkpoint.clone(), alpha, epoch.train_loss.to_bits())
}

/// A search of three epochs, taken up after its first, repeats the others bit for bit.
#[track_caller]
fn check_resume(strategy: &str, config: Value) {
    let folder = tempfile::tempdir().unwrap();
    check_resume_of(strategy, job(folder.path(), strategy, config));
}

#[track_caller]
fn check_resume_of(strategy: &str, whole: OneShotJob) {
    tch::set_num_threads(1);
    let (found, script) = run(&whole, Vec::new());
    let found = found.unwrap_or_else(|error| panic!("{strategy}: {error}"));
    assert!(!found.genotypes.is_empty(), "{strategy} derives something");
    let first = script.epochs[0].checkpoint.clone();
    let (again, rest) = run(&OneShotJob { resume_from: Some(first), ..whole }, Vec::new());
    assert_eq!(again.unwrap().genotypes, found.genotypes, "{strategy}");
    let expected: Vec<_> = script.epochs[1..].iter().map(trace).collect();
    let repeated: Vec<_> = rest.epochs.iter().map(trace).collect();
    let first_other = repeated.iter().zip(&expected).position(|(ours, theirs)| ours != theirs);
    assert_eq!((first_other, repeated.len()), (None, expected.len()), "{strategy}");
    assert!(!expected.is_empty(), "{strategy} has several epochs");
    for epoch in &script.epochs {
        assert!(epoch.plugin_calls > 0 && epoch.plugin_seconds < 1.0, "{strategy}: {epoch:?}");
    }
}

#[test]
fn gradient_strategies_repeat_what_came_after_a_checkpoint() {
    check_resume("darts", json!({"epochs": 3}));
    check_resume("darts", json!({"epochs": 2, "order": 2}));
    check_resume("gdas", json!({"epochs": 3}));
    check_resume("snas", json!({"epochs": 3, "drop_path": 0.3}));
    check_resume("pc-darts", json!({"epochs": 3, "frozen_epochs": 1, "channel_fraction": 2}));
    check_resume("fair-darts", json!({"epochs": 3}));
}

#[test]
fn staged_strategies_repeat_what_came_after_a_checkpoint() {
    check_resume(
        "drnas",
        json!({"stage_epochs": [2, 2], "channel_fractions": [4, 2], "operations_kept": [0, 4],
        "frozen_epochs": 1}),
    );
    check_resume(
        "p-darts",
        json!({"stage_epochs": 2, "cells": [3, 4, 4], "dropped": [3, 2, 2],
        "skip_dropout": [0.1, 0.4, 0.7], "frozen_epochs": 1}),
    );
    check_resume("darts-pt", json!({"epochs": 2, "evaluation_batches": 1}));
}

#[test]
fn sampling_strategies_repeat_what_came_after_a_checkpoint() {
    check_resume(
        "enas",
        json!({"epochs": 2, "updates_per_epoch": 2,
        "samples_per_update": 2, "final_samples": 3}),
    );
    check_resume(
        "proxyless",
        json!({"epochs": 3, "warmup_epochs": 1,
        "weight_steps_per_alpha_step": 2}),
    );
    check_resume(
        "spos",
        json!({"epochs": 2, "population": 4, "generations": 2,
        "parents": 2, "mutants": 2, "crossovers": 2, "recalibration_batches": 2,
        "validation_batches": 2}),
    );
}

/// Measured again they would differ.
#[test]
fn latencies_are_measured_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"epochs": 3, "warmup_epochs": 1, "cost_loss": "add-linear"});
    let mut job = job(folder.path(), "proxyless", config);
    job.path_cost = PathCost::Latency;
    check_resume_of("proxyless", job);
    let file = folder.path().join("latencies_own_cells_own_channels_1_in_1.json");
    let kept: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let paths = kept["paths"].as_array().unwrap();
    let n_measured = paths.iter().filter(|path| path.as_f64().unwrap() > 0.0).count();
    // Two cells of five edges; zeros and identities are measured too, where they are layers.
    assert!(n_measured >= 10 * 6 && kept["fixed"].as_f64().unwrap() >= 0.0, "{kept}");
}

#[test]
fn signals_are_taken_each_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "darts", json!({"epochs": 1}));
    job.signals = vec!["hessian_eigenvalue".to_owned()];
    let (found, script) = run(&job, Vec::new());
    found.unwrap();
    let signals = &script.epochs[0].signals;
    for name in ["entropy", "skip_share", "discretisation_gap", "hessian_eigenvalue"] {
        assert!(signals.get(name).is_some_and(|value| value.is_finite()), "{name}: {signals:?}");
    }
    assert!((0.9..=1.0).contains(&signals["entropy"]), "{signals:?}");
}

#[test]
fn dropout_does_not_reach_the_eigenvalue() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "snas", json!({"epochs": 1, "drop_path": 0.3}));
    job.signals = vec!["hessian_eigenvalue".to_owned()];
    let (found, script) = run(&job, Vec::new());
    found.unwrap();
    // Two different draws over a small distance would make millions.
    let eigenvalue = script.epochs[0].signals["hessian_eigenvalue"];
    assert!(eigenvalue.abs() < 100.0, "{eigenvalue}");
}

#[test]
fn a_roll_back_goes_on_from_the_checkpoint_with_stronger_decay() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), "darts", json!({"epochs": 3}));
    let back = Order::RollBack { epoch: 0, weight_decay_factor: 10.0 };
    let (found, script) = run(&job, vec![Order::Continue, back]);
    found.unwrap();
    let epochs: Vec<u32> = script.epochs.iter().map(|epoch| epoch.checkpoint.epoch).collect();
    assert_eq!(epochs, [0, 1, 1, 2]);
    assert_ne!(script.epochs[1].train_loss.to_bits(), script.epochs[2].train_loss.to_bits());
}

#[test]
fn a_stop_ends_without_genotypes() {
    let folder = tempfile::tempdir().unwrap();
    let (found, script) =
        run(&job(folder.path(), "darts", json!({"epochs": 9})), vec![Order::Stop]);
    assert!(found.unwrap().genotypes.is_empty());
    assert_eq!(script.epochs.len(), 1);
}

#[test]
fn a_batch_larger_than_a_split_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (found, script) =
        run(&job(folder.path(), "darts", json!({"epochs": 1, "batch_size": 33})), Vec::new());
    let error = found.unwrap_err().to_string();
    assert!(error.contains("33 images") && error.contains("validation split"), "{error}");
    assert!(script.epochs.is_empty());
}

#[test]
fn a_changed_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = job(folder.path(), "darts", json!({"epochs": 1}));
    let (_, script) = run(&whole, Vec::new());
    let first = script.epochs[0].checkpoint.clone();
    let path = folder.path().join(&first.file);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (again, _) = run(&OneShotJob { resume_from: Some(first), ..whole }, Vec::new());
    let error = again.unwrap_err().to_string();
    assert!(error.contains("changed or damaged"), "{error}");
}
