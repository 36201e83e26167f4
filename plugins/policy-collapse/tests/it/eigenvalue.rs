//! The rule of RobustDARTS.

use nas_plugin_api::toolkit::rng::{RngExt, generator, normal};
use nas_plugin_api::verdict::Action;
use policy_collapse::CollapseConfig;

use crate::{epoch, first_verdict, judge, policy};

const SIGNAL: &str = "hessian_eigenvalue";

/// Falls, stays, and rises from epoch 20 on: a search that collapses.
const COLLAPSES: [f64; 40] = [
    0.42, 0.40, 0.37, 0.36, 0.34, 0.33, 0.31, 0.31, 0.30, 0.29, //
    0.29, 0.28, 0.29, 0.28, 0.28, 0.27, 0.28, 0.28, 0.27, 0.28, //
    0.29, 0.31, 0.34, 0.37, 0.41, 0.46, 0.52, 0.58, 0.66, 0.74, //
    0.83, 0.93, 1.04, 1.15, 1.27, 1.40, 1.53, 1.67, 1.81, 1.95,
];

/// Falls and stays low: a search that does not.
const SOUND: [f64; 40] = [
    0.42, 0.40, 0.37, 0.36, 0.34, 0.33, 0.31, 0.31, 0.30, 0.29, //
    0.29, 0.28, 0.29, 0.28, 0.28, 0.27, 0.28, 0.28, 0.27, 0.28, //
    0.27, 0.28, 0.29, 0.28, 0.27, 0.29, 0.30, 0.29, 0.28, 0.30, //
    0.31, 0.30, 0.29, 0.31, 0.30, 0.31, 0.32, 0.31, 0.30, 0.31,
];

fn every(epochs_between_evaluations: u32) -> CollapseConfig {
    CollapseConfig { epochs_between_evaluations, ..CollapseConfig::default() }
}

#[track_caller]
fn check(config: CollapseConfig, curve: &[f64], expected: Option<(u32, u32)>) {
    let expected = expected.map(|(at, back)| (at, Action::RollBack { epoch: back }));
    assert_eq!(first_verdict(config, SIGNAL, curve), expected);
}

#[test]
fn a_rising_eigenvalue_rolls_back_to_before_it_rose() {
    // Epochs 20 to 28: mean 0.444; epochs 12 to 20: 0.282, whose middle is 16.
    check(every(2), &COLLAPSES, Some((28, 16)));
    // Epochs 21 to 25: mean 0.378; epochs 17 to 21: 0.286, whose middle is 19.
    check(every(1), &COLLAPSES, Some((25, 19)));
}

#[test]
fn a_sound_curve_never_rolls_back() {
    check(every(2), &SOUND, None);
    check(every(1), &SOUND, None);
}

#[test]
fn the_first_epoch_to_be_judged_is_the_published_one() {
    let doubling: Vec<f64> = (0..40).map(|epoch| 0.1 * 2_f64.powi(epoch)).collect();
    check(every(2), &doubling, Some((22, 10)));
    check(every(1), &doubling, Some((16, 10)));
    check(CollapseConfig { first_epoch: 0, ..every(2) }, &doubling, Some((12, 0)));
}

#[test]
fn the_ratio_itself_is_allowed() {
    let step = |high| {
        let mut curve = vec![1.0; 40];
        curve[18..].fill(high);
        curve
    };
    let every_epoch = CollapseConfig { ratio: 1.5, distance: 5, ..every(1) };
    check(every_epoch.clone(), &step(1.5), None);
    check(every_epoch, &step(1.500_001), Some((22, 15)));
}

#[test]
fn negative_and_missing_eigenvalues_give_no_verdict() {
    check(every(1), &[-0.5; 40], None);
    let rising: Vec<f64> = (0..40).map(|epoch| f64::from(epoch) - 20.0).collect();
    // The mean before is positive for the first time where its middle is epoch 21.
    check(every(1), &rising, Some((27, 21)));
    let mut gaps = COLLAPSES;
    gaps[13] = f64::NAN;
    check(every(2), &gaps, Some((28, 16)));
}

#[test]
fn an_epoch_that_comes_by_again_is_judged_anew() {
    let mut policy = policy(every(2));
    let mut run = |numbers: std::ops::Range<u32>, curve: &[f64]| {
        let verdicts = numbers.map(|number| {
            judge(&mut policy, &epoch(number, &[(SIGNAL, curve[number as usize])])).action
        });
        verdicts.filter(|action| *action != Action::Allow).collect::<Vec<_>>()
    };
    assert_eq!(run(0..29, &COLLAPSES), [Action::RollBack { epoch: 16 }]);
    assert_eq!(run(17..40, &SOUND), []);
    assert_eq!(run(17..29, &COLLAPSES), [Action::RollBack { epoch: 16 }]);
}

/// The rule once more, told as the released program tells it.
fn released(curve: &[f64], every: usize) -> Option<(u32, u32)> {
    let (window, distance, first) = (5, 4, 10);
    let mut values: Vec<f64> = Vec::new();
    let mut means: Vec<f64> = Vec::new();
    for (epoch, value) in curve.iter().enumerate().filter(|(epoch, _)| epoch % every == 0) {
        values.push(*value);
        if values.len() < 3 {
            continue;
        }
        let from = values.len().saturating_sub(window);
        means.push(values[from..].iter().sum::<f64>() / (values.len() - from) as f64);
        let back = epoch as i64 - (2 * every) as i64 - (distance * every) as i64;
        if back >= first {
            let ratio = means[means.len() - 1] / means[means.len() - 1 - distance];
            if ratio > 1.3 {
                return Some((epoch as u32, back as u32));
            }
        }
    }
    None
}

#[test]
fn random_curves_are_judged_as_the_released_program_judges_them() {
    let mut rng = generator(0);
    let mut collapsed = 0;
    for _ in 0..500 {
        let growth = 1.0 + 0.12 * rng.random::<f64>();
        let curve: Vec<f64> =
            (0..50).map(|e| growth.powi(e) * (1.0 + 0.1 * normal(&mut rng)).abs()).collect();
        for every in [1, 2, 3] {
            let expected = released(&curve, every);
            check(self::every(every as u32), &curve, expected);
            collapsed += u32::from(expected.is_some());
        }
    }
    assert!((300..1200).contains(&collapsed), "{collapsed}");
}
