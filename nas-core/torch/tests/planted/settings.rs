//! The settings of every strategy.
//!
//! Published searches take tens of thousands of steps, these take one or two hundred, eight an
//! epoch: so epochs are few and learning rates large, those of the network weights and even more
//! those of the architecture weights. What else is not the default is said beside it. No setting
//! depends on the seed, and none on what is planted.

use serde_json::{Value, json};

/// A strategy and its settings.
pub(crate) struct Case {
    /// The component.
    pub(crate) strategy: &'static str,
    /// What is not the default.
    pub(crate) config: Value,
}

/// Adds what all of them have in common.
fn case(strategy: &'static str, mut config: Value) -> Case {
    let all = json!({"batch_size": 128, "learning_rate": 0.2});
    if let (Value::Object(config), Value::Object(all)) = (&mut config, all) {
        for (name, value) in all {
            config.entry(name).or_insert(value);
        }
    }
    Case { strategy, config }
}

pub(crate) fn darts() -> Case {
    case("darts", json!({"epochs": 6, "alpha_learning_rate": 0.08}))
}

pub(crate) fn darts_of_second_order() -> Case {
    case("darts", json!({"order": 2, "epochs": 5, "alpha_learning_rate": 0.08}))
}

/// At the published last temperature of 0.1 gradients of few steps are too rough.
pub(crate) fn gdas() -> Case {
    let temperatures = json!({"epochs": 24, "alpha_learning_rate": 0.05,
        "first_temperature": 4.0, "last_temperature": 1.0});
    case("gdas", temperatures)
}

/// Single level, as released, without dropping paths: an edge has nothing else to show.
pub(crate) fn snas() -> Case {
    let config = json!({"epochs": 12, "alpha_learning_rate": 0.08, "last_temperature": 0.3,
        "drop_path": 0.0});
    case("snas", config)
}

/// One in four channels, as published.
pub(crate) fn pc_darts() -> Case {
    case("pc-darts", json!({"epochs": 10, "frozen_epochs": 2, "alpha_learning_rate": 0.08}))
}

/// Two stages, from one in four channels to one in two, and from eight operations to four.
pub(crate) fn drnas() -> Case {
    let config = json!({"stage_epochs": [7, 6], "channel_fractions": [4, 2],
        "operations_kept": [0, 4], "frozen_epochs": 2, "alpha_learning_rate": 0.08});
    case("drnas", config)
}

/// Three stages; the last network has each edge twice.
pub(crate) fn p_darts() -> Case {
    let config = json!({"stage_epochs": 6, "cells": [1, 1, 2], "dropped": [3, 3, 1],
        "frozen_epochs": 2, "alpha_learning_rate": 0.08});
    case("p-darts", config)
}

/// With a weaker pull towards 0 and 1, which is a mean over 128 numbers here and 196 there.
pub(crate) fn fair_darts() -> Case {
    case("fair-darts", json!({"epochs": 10, "alpha_learning_rate": 0.08, "zero_one_weight": 0.1}))
}

/// An epoch of tuning between two decisions.
pub(crate) fn darts_pt() -> Case {
    let config = json!({"epochs": 6, "interval": 1, "alpha_learning_rate": 0.05,
        "evaluation_batches": 4});
    case("darts-pt", config)
}

/// Logits, baseline and number of last samples are those of NAS-Bench-201's form; a small
/// controller learns slowly, so that it learns from weights that are trained.
pub(crate) fn enas() -> Case {
    let config = json!({"epochs": 56, "restart_epochs": 0, "updates_per_epoch": 8,
        "lstm_size": 4, "tanh_constant": 2.5, "operation_tanh_reduce": 1.0,
        "controller_learning_rate": 0.008, "baseline_from_first": true, "baseline_decay": 0.95,
        "final_samples": 100, "final_batches": 0});
    case("enas", config)
}

/// The gates of all paths; a step of the architecture weights after each of the network's.
pub(crate) fn proxyless() -> Case {
    let config = json!({"epochs": 16, "warmup_epochs": 6, "warmup_learning_rate": 0.2,
        "weight_steps_per_alpha_step": 1, "alpha_learning_rate": 0.05});
    case("proxyless", config)
}

/// The gates of two paths, as in the paper.
pub(crate) fn proxyless_of_two_paths() -> Case {
    let config = json!({"gates": "two", "epochs": 20, "warmup_epochs": 6,
        "warmup_learning_rate": 0.2, "weight_steps_per_alpha_step": 1,
        "alpha_learning_rate": 0.05});
    case("proxyless", config)
}

/// Twenty generations of fifty, as published; there is no batch norm to recalibrate.
pub(crate) fn spos() -> Case {
    let config = json!({"epochs": 90, "batch_size": 512, "learning_rate": 0.6,
        "recalibration_batches": 0, "validation_batches": 0});
    case("spos", config)
}
