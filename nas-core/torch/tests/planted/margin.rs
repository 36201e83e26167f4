//! How much a planted operation is worth: the margin that was planted.

use serde_json::json;

use crate::problem::{N_CHANNELS, N_EDGES, Problem, SEEDS};
use crate::random::TRIAL_EPOCHS;
use crate::run::N_TRAIN;
use crate::space::SKIP;
use crate::trial::accuracy;

/// Images enough for a tenth of a point.
const N_TEST: usize = 8192;

/// Accuracy of the planted network with so many edges changed, trained from scratch: mean over the
/// seeds.
fn mean(n_changed: usize, change: impl Fn(usize) -> usize) -> f64 {
    let of = |seed| {
        let problem = Problem::new(seed);
        let mut operations = problem.planted.clone();
        operations.iter_mut().take(n_changed).for_each(|channel| *channel = change(*channel));
        let (train, test) = (problem.images(0, N_TRAIN), problem.images(2, N_TEST));
        accuracy(&json!({}), &operations, (&train, &test), (TRIAL_EPOCHS, seed))
    };
    SEEDS.map(of).iter().sum::<f64>() / SEEDS.len() as f64
}

#[test]
fn each_planted_operation_is_worth_more_than_a_point_of_accuracy() {
    let other = |channel| (channel + 1) % N_CHANNELS;
    let planted = mean(0, other);
    let [one, four, all] = [1, 4, N_EDGES].map(|n_changed| mean(n_changed, other));
    let (one_skip, all_skip) = (mean(1, |_| SKIP), mean(N_EDGES, |_| SKIP));
    println!(
        "planted {planted:.4}; another channel on one edge {one:.4}, on four {four:.4}, on all \
         {all:.4}; skip on one edge {one_skip:.4}, on all {all_skip:.4}"
    );
    assert!(planted > 0.75, "{planted}");
    assert!(planted - one > 0.01 && planted - one_skip > 0.01, "{planted} {one} {one_skip}");
    assert!(one - four > 0.03, "{one} {four}");
    assert!((all - 0.1).abs() < 0.02, "{all} without any evidence");
}
