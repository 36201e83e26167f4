//! The Parzen estimator against functions of the genotype.

#![cfg(test)]

use std::collections::HashSet;

use nas_plugin_api::component::{Component, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome};
use strategy_tpe::{Tpe, TpeConfig};

/// Layers of four widths.
fn space(layers: usize) -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    for layer in 0..layers {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8, 16, 32], Linear::new(8), x);
    }
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// How many layers take option 2.
fn planted(genotype: &Genotype) -> f64 {
    genotype.0.iter().filter(|&&value| value == 2).count() as f64
}

fn run(
    layers: usize,
    seed: u64,
    starts: usize,
    rehearsal: Rehearsal,
    evaluate: impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
) -> Rehearsed {
    let context = StrategyContext {
        space: space(layers),
        seed,
        objectives: vec![Objective::maximize("accuracy")],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let config = TpeConfig { starts, ..TpeConfig::default() };
    rehearsal.run(&mut Tpe::create(config, context).unwrap(), evaluate).unwrap()
}

/// The mean over seeds of the best of 100 in 8 layers, 65,536 networks.
fn mean_of_best(starts: usize) -> f64 {
    let best = |seed| {
        let found =
            run(8, seed, starts, Rehearsal::of(100), |genotype| Ok(vec![planted(genotype)]));
        found.trials.iter().map(|trial| trial.objectives[0]).fold(0.0, f64::max)
    };
    (0..20).map(best).sum::<f64>() / 20.0
}

#[test]
fn it_finds_what_random_draws_do_not() {
    let (learnt, random) = (mean_of_best(10), mean_of_best(10_000));
    assert!(learnt > 7.5 && random < 6.0, "{learnt} {random}");
}

#[test]
fn nothing_is_proposed_twice_and_the_space_is_used_up() {
    let rehearsal = Rehearsal::of(1000).with_workers(3, 0);
    let rehearsed = run(3, 0, 10, rehearsal, |genotype| match genotype.0[0] {
        0 => Err(Outcome::Failed),
        _ => Ok(vec![planted(genotype)]),
    });
    let different: HashSet<_> = rehearsed.trials.iter().map(|t| &t.proposal.genotype).collect();
    assert_eq!((rehearsed.trials.len(), different.len()), (64, 64));
    assert_eq!(rehearsed.done.as_deref(), Some("the space is used up after 64 genotypes"));
}
