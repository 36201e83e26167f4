//! The robust rule.

use nas_plugin_api::toolkit::rng::{generator, normal};
use policy_runaway::RunawayConfig;

use crate::first_halt;

#[track_caller]
fn check(curve: &[f64], halts_after: Option<(usize, &str)>) {
    let found = first_halt(RunawayConfig::default(), "generation", curve);
    let expected = halts_after.map(|(units, code)| (units, code.to_owned()));
    assert_eq!(found, expected, "{curve:?}");
}

/// Rises from 0.1 towards 0.95, by this share of what is left at each check.
fn flattening(share: f64, checks: i32) -> Vec<f64> {
    (0..checks).map(|check| 0.95 - 0.85 * (1.0 - share).powi(check)).collect()
}

/// A logistic curve from 0.1 to 0.95 and on, with this slope per check.
fn logistic(slope: f64, checks: i32) -> Vec<f64> {
    let start = (0.1_f64 / 0.9).ln();
    (0..checks).map(|check| 1.0 / (1.0 + (-start - slope * f64::from(check)).exp())).collect()
}

#[test]
fn an_honest_curve_from_0_1_to_0_95_never_halts() {
    check(&[0.1, 0.5, 0.75, 0.88, 0.95, 0.95, 0.95, 0.951], None);
    for step in 1..100 {
        check(&flattening(f64::from(step) / 100.0, 60), None);
        check(&logistic(f64::from(step) / 20.0, 300), None);
    }
}

#[test]
fn noise_on_an_honest_curve_never_halts() {
    let mut rng = generator(0);
    for step in 1..100 {
        let noisy: Vec<f64> = flattening(f64::from(step) / 100.0, 60)
            .into_iter()
            .map(|fitness| (fitness + 0.02 * normal(&mut rng)).min(1.0))
            .collect();
        check(&noisy, None);
    }
}

#[test]
fn recovering_from_a_bad_generation_is_no_jump() {
    check(&[0.5, 0.6, 0.65, 0.7, 0.72, 0.73, 0.2, 0.74, 0.1, 0.75], None);
}

#[test]
fn a_leap_out_of_a_plateau_halts() {
    let mut curve = vec![0.1, 0.4, 0.55, 0.6, 0.61, 0.62, 0.62, 0.63];
    check(&curve, None);
    curve.push(0.99);
    check(&curve, Some((9, "runaway")));
}

#[test]
fn doubling_halts() {
    let doubling: Vec<f64> = (0..8).map(|check| 0.01 * f64::from(1 << check)).collect();
    check(&doubling, Some((7, "runaway")));
}

#[test]
fn the_smallest_jump_itself_is_allowed() {
    let still = |last| [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, last];
    check(&still(0.7), None);
    check(&still(0.700_001), Some((7, "runaway")));
}

#[test]
fn fewer_than_five_improvements_before_are_no_verdict() {
    check(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.99], None);
    check(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.99], Some((7, "runaway")));
}

#[test]
fn an_impossible_fitness_halts_at_once() {
    check(&[0.5, 1.0], None);
    check(&[0.5, 1.000_001], Some((2, "impossible_fitness")));
    check(&[f64::INFINITY], Some((1, "impossible_fitness")));
    check(&[f64::NAN], Some((1, "impossible_fitness")));
}

#[test]
fn an_impossible_fitness_halts_between_the_checks_too() {
    let found = first_halt(RunawayConfig::default(), "epoch", &[0.1, 0.2, 1.5]);
    assert_eq!(found, Some((3, "impossible_fitness".to_owned())));
}

#[test]
fn generations_without_a_result_are_nothing_impossible() {
    check(&[f64::NEG_INFINITY, f64::NEG_INFINITY, 0.5], None);
}
