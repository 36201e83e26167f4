//! ENAS.

use nas_plugin_api::component::{Component, OneShotStrategy, Report};
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use strategy_sampling::{Enas, EnasConfig};

use crate::toy::{Toy, mean_recovered};
use crate::{cell, chain, context, everything};

/// The controller of NAS-Bench-201, with fewer units and longer steps.
pub(crate) fn config() -> EnasConfig {
    EnasConfig {
        epochs: 12,
        lstm_size: 8,
        tanh_constant: 2.5,
        operation_tanh_reduce: 1.0,
        updates_per_epoch: 40,
        samples_per_update: 10,
        controller_learning_rate: 0.01,
        controller_beta1: 0.5,
        controller_epsilon: 1e-4,
        baseline_decay: 0.95,
        baseline_from_first: true,
        ..EnasConfig::default()
    }
}

fn enas(space: Space, seed: u64, config: EnasConfig) -> Enas {
    Enas::create(config, context(space, seed)).unwrap()
}

#[test]
fn the_planted_operations_are_recovered() {
    let space = chain(14);
    let recovered = mean_recovered(|seed| {
        let mut toy = Toy::new(&space, seed);
        let genotypes = toy.run(&mut enas(space.clone(), seed, config()));
        toy.recovered(&genotypes[0])
    });
    assert!(recovered >= 0.9, "{recovered}");
}

#[test]
fn as_many_random_networks_recover_little() {
    // The best of as many networks as ENAS evaluates in the end, without any noise.
    let space = chain(14);
    let recovered = mean_recovered(|seed| {
        let toy = Toy::new(&space, seed);
        let mut rng = generator(seed);
        let drawn = (0..10).map(|_| toy.recovered(&random_genotype(&space, &mut rng).unwrap()));
        drawn.fold(0.0, f64::max)
    });
    assert!(recovered < 0.4, "{recovered}");
}

#[test]
fn an_epoch_of_the_child_comes_before_the_controller_s_updates() {
    let space = cell();
    let mut toy = Toy::new(&space, 0);
    let small = EnasConfig { epochs: 2, updates_per_epoch: 3, samples_per_update: 2, ..config() };
    let mut enas = enas(space, 0, small);
    assert_eq!(enas.plan().unwrap().epochs, 2);
    toy.run(&mut enas);
    let kinds: Vec<&str> =
        toy.commands.iter().map(|text| text.split([' ', '(']).next().unwrap()).collect();
    let epoch = [["Edit"].to_vec(), ["TrainWeights"].repeat(10), ["ArchStep"].repeat(6)].concat();
    let epoch = [epoch, vec!["EndEpoch"]].concat();
    assert_eq!(kinds, [epoch.clone(), epoch, vec!["Evaluate", "Derive"]].concat());
    assert!(
        toy.commands.iter().all(|text| !text.starts_with("ArchStep") || text.contains("Reward"))
    );
}

#[test]
fn the_learning_rate_restarts_as_published() {
    let space = cell();
    let mut toy = Toy::new(&space, 0);
    toy.steps_per_epoch = 1;
    let published = EnasConfig { epochs: 35, updates_per_epoch: 0, ..EnasConfig::default() };
    toy.run(&mut enas(space, 0, published));
    let rates: Vec<f64> = toy.training.iter().map(|t| t.learning_rate.unwrap()).collect();
    for restart in [0, 10, 30] {
        assert_eq!(rates[restart], 0.05);
    }
    assert!(rates[9] < 0.002 && rates[29] < 0.001);
    let first = toy.training[0];
    assert_eq!((first.weight_decay, first.nesterov), (Some(2e-4), Some(true)));
}

#[test]
fn every_kind_of_choice_is_decided() {
    for space in [cell(), everything()] {
        let small = EnasConfig { epochs: 2, updates_per_epoch: 5, ..config() };
        let mut toy = Toy::new(&space, 1);
        let genotypes = toy.run(&mut enas(space.clone(), 1, small));
        assert!(!genotypes.is_empty());
        assert!(toy.derived.iter().all(|derived| space.check(derived.as_ref().unwrap()).is_ok()));
    }
}

#[test]
fn favoured_operations_are_sampled_more_often_at_first() {
    let space = cell();
    let biased = EnasConfig {
        epochs: 1,
        updates_per_epoch: 0,
        favoured_operations: vec!["conv".to_owned()],
        ..EnasConfig::default()
    };
    let mut toy = Toy::new(&space, 0);
    toy.steps_per_epoch = 1;
    let genotypes =
        toy.run(&mut enas(space.clone(), 0, EnasConfig { final_samples: 200, ..biased }));
    let edge = space.choice("normal/edge_0_2").unwrap();
    let conv = genotypes.iter().filter(|g| space.selection(edge, g.0[edge]) == [2]).count() as f64;
    // exp(0.44 + 0.25) against twice exp(−0.25).
    let expected = 1.99 / (1.99 + 2.0 * 0.78);
    assert!((conv / genotypes.len() as f64 - expected).abs() < 0.1, "{conv}");
}

#[test]
fn a_reward_that_is_no_number_ends_the_search() {
    let mut enas = enas(cell(), 0, EnasConfig { epochs: 1, ..config() });
    let report =
        |accuracies: &[f64]| Report { accuracies: accuracies.to_vec(), ..Report::default() };
    enas.next(&report(&[])).unwrap();
    enas.next(&report(&[])).unwrap();
    let error = enas.next(&report(&[f64::NAN])).unwrap_err();
    assert!(error.message.contains("accuracy on a validation batch is NaN"), "{error}");
}

#[test]
fn bad_settings_are_refused() {
    for bad in [
        EnasConfig { lstm_size: 0, ..config() },
        EnasConfig { temperature: 0.0, ..config() },
        EnasConfig { epochs: 0, ..config() },
    ] {
        assert!(Enas::create(bad, context(cell(), 0)).is_err());
    }
}
