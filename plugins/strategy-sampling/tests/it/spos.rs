//! Single-path one-shot.

use std::collections::HashSet;

use nas_plugin_api::component::{Component, OneShotStrategy};
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use strategy_sampling::{Spos, SposConfig};

use crate::toy::{Toy, mean_recovered};
use crate::{cell, chain, context, everything};

/// Choices of the planted problem.
const LAYERS: usize = 32;

/// Generations until the planted operations are found.
const GENERATIONS: u32 = 60;

pub(crate) fn config() -> SposConfig {
    SposConfig { epochs: 2, generations: GENERATIONS, ..SposConfig::default() }
}

fn spos(space: Space, seed: u64, config: SposConfig) -> Spos {
    Spos::create(config, context(space, seed)).unwrap()
}

#[test]
fn the_planted_operations_are_recovered() {
    let space = chain(LAYERS);
    let recovered = mean_recovered(|seed| {
        let mut toy = Toy::new(&space, seed);
        let genotypes = toy.run(&mut spos(space.clone(), seed, config()));
        toy.recovered(&genotypes[0])
    });
    assert!(recovered >= 0.9, "{recovered}");
}

#[test]
fn random_search_recovers_little_by_as_many_evaluations() {
    let space = chain(LAYERS);
    let recovered = mean_recovered(|seed| {
        let toy = Toy::new(&space, seed);
        let mut rng = generator(seed);
        let n = GENERATIONS * 50;
        let drawn = (0..n).map(|_| toy.recovered(&random_genotype(&space, &mut rng).unwrap()));
        drawn.fold(0.0, f64::max)
    });
    assert!(recovered < 0.4, "{recovered}");
}

#[test]
fn no_network_is_evaluated_twice() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    toy.run(&mut spos(space, 0, SposConfig { generations: 20, ..config() }));
    let different: HashSet<String> =
        toy.evaluated.iter().map(|mixture| format!("{:?}", mixture.weights)).collect();
    assert_eq!((toy.evaluated.len(), different.len()), (1000, 1000));
}

#[test]
fn batch_norms_are_made_anew_before_evaluations() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    toy.run(&mut spos(space, 0, SposConfig { generations: 3, ..config() }));
    let evaluations: Vec<&String> =
        toy.commands.iter().filter(|command| command.starts_with("Evaluate")).collect();
    assert_eq!(evaluations.len(), 3);
    assert!(evaluations.iter().all(|command| command.contains("batches: 40, recalibrate: 200")));
}

#[test]
fn every_generation_is_an_epoch_that_shows_the_best_so_far() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    let mut strategy = spos(space, 0, SposConfig { generations: 3, ..config() });
    assert_eq!(strategy.plan().unwrap().epochs, 5);
    let genotypes = toy.run(&mut strategy);
    let known: Vec<bool> = toy.derived.iter().map(Option::is_some).collect();
    assert_eq!(known, [false, false, true, true, true]);
    assert_eq!(genotypes.len(), 10);
    assert_eq!(toy.derived.last().unwrap().as_ref(), Some(&genotypes[0]));
}

#[test]
fn paths_are_drawn_uniformly() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    toy.steps_per_epoch = 1000;
    toy.run(&mut spos(space, 0, SposConfig { epochs: 1, generations: 0, ..config() }));
    let first_is_open = |command: &&String| command.contains("weights: [1.0, ");
    let first = toy.commands.iter().filter(|c| c.starts_with("TrainWeights")).filter(first_is_open);
    let share = first.count() as f64 / 1000.0;
    assert!((share - 0.125).abs() < 0.03, "{share}");
}

#[test]
fn training_costs_bound_what_is_trained() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    toy.steps_per_epoch = 300;
    // The last operation of each layer costs 10, the others nothing; 100 is fixed.
    toy.path_costs = (0..LAYERS * 8).map(|path| if path % 8 == 7 { 10.0 } else { 0.0 }).collect();
    let bounds = vec![99.0, 101.0, 141.0];
    let bounded = SposConfig { training_costs: bounds, epochs: 1, generations: 0, ..config() };
    toy.run(&mut spos(space, 0, bounded));
    let dear = |command: &String| {
        let weights = command.split('[').nth(1).unwrap().split(']').next().unwrap();
        weights.split(", ").skip(7).step_by(8).filter(|weight| *weight == "1.0").count()
    };
    let trained = toy.commands.iter().filter(|c| c.starts_with("TrainWeights"));
    let counts: Vec<usize> = trained.map(dear).collect();
    assert!(counts.iter().all(|&n| n <= 4));
    // 7 % of all paths have none; half of those trained do.
    let none = counts.iter().filter(|&&n| n == 0).count() as f64 / 300.0;
    assert!(none > 0.45, "{none}");
}

#[test]
fn nothing_above_the_limit_is_evaluated() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    toy.path_costs = (0..LAYERS * 8).map(|path| if path % 8 == 7 { 10.0 } else { 0.0 }).collect();
    let limited = SposConfig { max_cost: Some(120.0), generations: 10, ..config() };
    toy.run(&mut spos(space.clone(), 0, limited));
    for mixture in &toy.evaluated {
        let open = mixture.weights.iter().skip(7).step_by(8).sum::<f64>();
        assert!(open <= 2.0, "{open}");
    }
    let impossible = SposConfig { max_cost: Some(99.0), ..config() };
    let mut strategy = spos(space, 0, impossible);
    let report = nas_plugin_api::component::Report {
        path_costs: vec![0.0; LAYERS * 8],
        fixed_cost: 100.0,
        ..Default::default()
    };
    let error = std::iter::repeat_with(|| strategy.next(&report)).find_map(Result::err).unwrap();
    assert_eq!(error.message, "find a network that costs at most 99 among 5000 random ones");
}

#[test]
fn a_space_that_is_used_up_ends_the_search() {
    for space in [cell(), everything()] {
        let mut toy = Toy::new(&space, 0);
        let genotypes = toy.run(&mut spos(space.clone(), 0, config()));
        assert!(!genotypes.is_empty());
        assert!(toy.evaluated.len() <= 3000);
    }
}

#[test]
fn bad_settings_are_refused() {
    for bad in [
        SposConfig { epochs: 0, ..config() },
        SposConfig { population: 0, ..config() },
        SposConfig { parents: 0, ..config() },
        SposConfig { training_costs: vec![1.0], ..config() },
        SposConfig { training_costs: vec![2.0, 1.0], ..config() },
    ] {
        assert!(Spos::create(bad, context(chain(LAYERS), 0)).is_err());
    }
}
