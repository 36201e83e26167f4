//! Random search against a function of the genotype.

#![cfg(test)]

use std::collections::HashSet;

use nas_plugin_api::component::{Component, StrategyContext};
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::Fidelity;
use strategy_random::{Duplicates, RandomConfig, RandomSearch};

/// One to three layers of two widths: 2 + 4 + 8 networks.
fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    let mut outputs = Vec::new();
    for layer in 0..3 {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8], Linear::new(8), x);
        outputs.push(x);
    }
    let x = template.chosen_depth("layers", &[1, 2, 3], &outputs);
    Space::new(template.finish(x).unwrap()).unwrap()
}

fn run(duplicates: Duplicates, seed: u64, rehearsal: Rehearsal) -> Rehearsed {
    let context = StrategyContext {
        space: space(),
        seed,
        objectives: vec![Objective::maximize("accuracy")],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let mut search = RandomSearch::create(RandomConfig { duplicates }, context).unwrap();
    rehearsal.run(&mut search, |genotype| Ok(vec![f64::from(genotype.0[0])])).unwrap()
}

fn n_different(rehearsed: &Rehearsed) -> usize {
    let space = space();
    let genotypes = rehearsed.trials.iter().map(|trial| &trial.proposal.genotype);
    genotypes.map(|genotype| space.normalize(genotype)).collect::<HashSet<_>>().len()
}

#[test]
fn every_network_is_proposed_once_and_then_the_search_is_over() {
    let rehearsed = run(Duplicates::Avoided, 0, Rehearsal::of(100).with_workers(4, 0));
    assert_eq!((rehearsed.trials.len(), n_different(&rehearsed)), (14, 14));
    assert_eq!(rehearsed.done.as_deref(), Some("the space is used up after 14 genotypes"));
}

#[test]
fn the_search_goes_on_for_ever_where_duplicates_are_allowed() {
    let rehearsed = run(Duplicates::Allowed, 0, Rehearsal::of(200));
    assert_eq!((rehearsed.trials.len(), n_different(&rehearsed)), (200, 14));
    assert_eq!(rehearsed.done, None);
}

#[test]
fn the_same_seed_gives_the_same_genotypes() {
    let genotypes = |seed| {
        let trials = run(Duplicates::Allowed, seed, Rehearsal::of(50)).trials;
        trials.into_iter().map(|trial| trial.proposal.genotype).collect::<Vec<_>>()
    };
    assert_eq!(genotypes(1), genotypes(1));
    assert_ne!(genotypes(1), genotypes(2));
}
