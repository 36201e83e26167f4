//! Random search at the cost of a one-shot search.

use std::sync::{Mutex, PoisonError};

use nas_torch::random::Random;
use serde_json::json;

use crate::problem::{N_EDGES, Problem};
use crate::run::{N_TRAIN, N_VALIDATION, thread_time};
use crate::space::N_OPERATIONS;
use crate::trial::accuracy;

/// Epochs of a network that is trained from scratch: those of the shortest search here. More of them
/// would leave random search fewer networks.
pub(crate) const TRIAL_EPOCHS: u32 = 6;

/// The network that is best on the validation images.
pub(crate) struct Best {
    /// Share of the edges that are as planted.
    pub(crate) recovered: f64,
    /// Networks that were trained.
    pub(crate) n_trials: usize,
}

/// A random network, trained from scratch.
struct Trial {
    operations: Vec<usize>,
    validation_accuracy: f64,
    /// Processor seconds of this and all trials before it.
    spent: f64,
}

/// The trials of each seed so far: a strategy that costs more sees more of the same sequence.
static TRIALS: Mutex<Vec<(u64, Vec<Trial>)>> = Mutex::new(Vec::new());

/// Trains random networks until so many processor seconds are spent, the last one whole: at least
/// as much as the search had.
pub(crate) fn search(problem: &Problem, cpu_seconds: f64) -> Best {
    let mut all = TRIALS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = all.iter().position(|(seed, _)| *seed == problem.seed).unwrap_or_else(|| {
        all.push((problem.seed, Vec::new()));
        all.len() - 1
    });
    let trials = &mut all[known].1;
    extend(problem, trials, cpu_seconds);
    let n_trials = 1 + trials.iter().take_while(|trial| trial.spent < cpu_seconds).count();
    let best = trials[..n_trials]
        .iter()
        .max_by(|a, b| a.validation_accuracy.total_cmp(&b.validation_accuracy));
    Best { recovered: problem.recovered(&best.unwrap().operations), n_trials }
}

fn extend(problem: &Problem, trials: &mut Vec<Trial>, cpu_seconds: f64) {
    let (train, validation) = (problem.images(0, N_TRAIN), problem.images(1, N_VALIDATION));
    while trials.last().is_none_or(|last| last.spent < cpu_seconds) {
        let number = trials.len() as u64;
        let mut random = Random::new(problem.seed, 1000 + number);
        let operations: Vec<usize> = (0..N_EDGES).map(|_| random.below(N_OPERATIONS)).collect();
        let before = thread_time();
        let splits = (&train, &validation);
        let validation_accuracy = accuracy(&json!({}), &operations, splits, (TRIAL_EPOCHS, number));
        let spent = (thread_time() - before).as_secs_f64();
        let spent = spent + trials.last().map_or(0.0, |last| last.spent);
        trials.push(Trial { operations, validation_accuracy, spent });
    }
}
