//! Every method finds what was planted.

use space_darts::DartsConfig;

use crate::methods::{METHODS, small};
use crate::spaces::{chain, darts, nb201, plain_inputs};
use crate::toy::Toy;

/// Share of the planted paths that a method recovers, over five seeds.
#[track_caller]
fn check(space: &nas_plugin_api::template::Space, least: f64) {
    for method in METHODS {
        let shares: Vec<f64> = (0..5)
            .map(|seed| {
                let toy = Toy::new(space, 20, 0.3, seed);
                let driven = toy.clone().drive(small(method, space, seed).as_mut()).unwrap();
                toy.recovered(&driven.genotype)
            })
            .collect();
        let mean = shares.iter().sum::<f64>() / 5.0;
        assert!(mean >= least, "{method} on {}: {shares:?}", space.name());
    }
}

#[test]
fn every_method_finds_the_planted_operations_of_darts_cells() {
    check(&darts(DartsConfig::default()), 0.9);
}

#[test]
fn every_method_finds_the_planted_operations_of_nas_bench_201() {
    check(&nb201(), 0.9);
}

#[test]
fn every_method_finds_the_planted_depth_and_widths() {
    check(&chain(), 0.9);
}

#[test]
fn methods_that_weight_or_remove_edges_find_the_important_ones() {
    let space = darts(DartsConfig::default());
    for method in ["pc-darts", "darts-pt"] {
        for seed in 0..5 {
            let toy = Toy::new(&space, 20, 0.3, seed).with_important_edges();
            let driven = toy.clone().drive(small(method, &space, seed).as_mut()).unwrap();
            let share = toy.important(&driven.genotype);
            assert!(share >= 0.9, "{method}: {share} of the important edges");
        }
    }
}

#[test]
fn inputs_without_operations_are_chosen_too() {
    let space = plain_inputs();
    for method in METHODS {
        // The node's other input is no operation: the edge needs a weight of its own, which grows.
        let mut strategy = small(method, &space, 0);
        assert!(strategy.alpha().iter().all(|alpha| alpha.is_finite()), "{method}");
        let toy = Toy::new(&space, 20, 0.0, 0);
        let driven = toy.clone().drive(strategy.as_mut()).unwrap();
        assert_eq!(toy.recovered(&driven.genotype), 1.0, "{method}");
        assert!(space.text(&driven.genotype).ends_with("node=1"), "{method}");
    }
}
