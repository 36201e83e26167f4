//! Every strategy finds what was planted, by its own last stage, and random search at its cost
//! does not.

use serde_json::json;

use crate::problem::{Problem, SEEDS};
use crate::random;
use crate::run::{Labels, run, run_with};
use crate::settings::{self, Case};

/// Least recovery of a strategy, mean over the seeds.
const FOUND: f64 = 0.9;
/// What chance stays below.
const CHANCE: f64 = 0.4;

fn mean(shares: &[f64]) -> f64 {
    shares.iter().sum::<f64>() / shares.len() as f64
}

#[track_caller]
#[expect(clippy::print_stdout, reason = "the numbers, shown with --nocapture")]
fn check(name: &str, case: &Case) {
    let (mut found, mut at_random, mut elsewhere, mut seconds) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut n_trials = 0;
    for seed in SEEDS {
        let problem = Problem::new(seed);
        let answer = run(&problem, &json!({}), case);
        found.push(problem.recovered(&answer.operations));
        // Held against another answer, the same check has to fail.
        elsewhere.push(Problem::new(seed + 100).recovered(&answer.operations));
        let random = random::search(&problem, answer.cpu_seconds);
        at_random.push(random.recovered);
        n_trials += random.n_trials;
        seconds.push(answer.cpu_seconds);
    }
    println!(
        "{name}: {:.3} {found:?}; random {:.3} of {n_trials} networks; against another answer \
         {:.3}; {:.1} s a search",
        mean(&found),
        mean(&at_random),
        mean(&elsewhere),
        mean(&seconds)
    );
    assert!(mean(&found) >= FOUND, "{name} recovers {found:?}");
    assert!(mean(&at_random) < CHANCE, "random search recovers {at_random:?} at its cost");
    assert!(mean(&elsewhere) < CHANCE, "{name} recovers {elsewhere:?} of what is not planted");
}

macro_rules! strategies {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() { check(stringify!($name), &settings::$name()); }
    )* };
}
strategies! {
    darts, darts_of_second_order, gdas, snas, pc_darts, drnas, p_darts, fair_darts, darts_pt,
    enas, proxyless, proxyless_of_two_paths, spos,
}

/// Without what the labels say there is nothing to find.
#[test]
fn labels_of_other_images_leave_a_search_at_chance() {
    let share = |seed| {
        let problem = Problem::new(seed);
        let answer = run_with(&problem, &json!({}), &settings::darts(), &[], Labels::OfOthers);
        problem.recovered(&answer.operations)
    };
    let shares = [0, 1, 2].map(share);
    assert!(mean(&shares) < CHANCE, "{shares:?}");
}
