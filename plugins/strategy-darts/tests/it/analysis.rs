//! `alpha`, `relax_at` and `pull_back_at`, which analyses such as the Hessian in the architecture
//! weights rest on.

use nas_plugin_api::component::{Need, OneShotStrategy};
use space_darts::DartsConfig;

use crate::methods::{METHODS, small};
use crate::spaces::{chain, darts};

/// Compares `pull_back_at` with central differences of `relax_at`.
#[track_caller]
fn check(strategy: &dyn OneShotStrategy, method: &str) {
    const STEP: f64 = 1e-6;
    let start = strategy.alpha();
    let spread = |(place, alpha): (usize, &f64)| alpha + (place as f64 * 0.7).sin();
    let alpha: Vec<f64> = start.iter().enumerate().map(spread).collect();
    let gradient: Vec<f64> = (0..alpha.len()).map(|place| (place as f64 * 1.3).cos()).collect();
    let pulled = strategy.pull_back_at(&alpha, &gradient).unwrap();
    let loss = |alpha: &[f64]| {
        let mixture = strategy.relax_at(alpha).unwrap();
        mixture.weights.iter().zip(&gradient).map(|(w, g)| w * g).sum::<f64>()
    };
    let mixture = strategy.relax_at(&alpha).unwrap();
    for place in 0..alpha.len() {
        assert_eq!(alpha[place].is_nan(), pulled[place].is_nan(), "{method}");
        if alpha[place].is_nan() {
            assert_eq!((mixture.weights[place], mixture.needs[place]), (1.0, Need::Forward));
            continue;
        }
        assert_eq!(mixture.needs[place], Need::ForwardGrad);
        let at = |offset: f64| {
            let mut moved = alpha.clone();
            moved[place] += offset;
            loss(&moved)
        };
        let expected = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        assert!((expected - pulled[place]).abs() < 1e-8, "{method}: {expected} {}", pulled[place]);
    }
}

#[test]
fn pull_back_at_is_the_derivative_of_relax_at() {
    for space in [darts(DartsConfig::default()), chain()] {
        for method in METHODS {
            check(small(method, &space, 0).as_ref(), method);
        }
    }
}

#[test]
fn only_pc_darts_weights_the_edges_of_darts_cells() {
    let space = darts(DartsConfig::default());
    for method in METHODS {
        let alpha = small(method, &space, 0).alpha();
        let n_weights = alpha.iter().filter(|alpha| !alpha.is_nan()).count();
        let n_expected = if method == "pc-darts" { 224 + 28 } else { 224 };
        assert_eq!((alpha.len(), n_weights), (252, n_expected), "{method}");
    }
}

#[test]
fn wrong_lengths_are_errors() {
    let strategy = small("darts", &chain(), 0);
    assert!(strategy.relax_at(&[0.0]).is_err());
    assert!(strategy.pull_back_at(&[0.0], &[0.0]).is_err());
    assert!(strategy.pull_back_at(&strategy.alpha(), &[0.0]).is_err());
}
