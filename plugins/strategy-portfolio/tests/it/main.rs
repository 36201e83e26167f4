//! The portfolio against functions of the genotype.

#![cfg(test)]

use std::collections::HashSet;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome, Trial};
use strategy_portfolio::{Portfolio, PortfolioConfig};

/// Six layers of four widths.
fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    for layer in 0..6 {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8, 16, 32], Linear::new(8), x);
    }
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// 1 where every layer takes option 2, and less by the distance.
fn planted(genotype: &Genotype) -> f64 {
    1.0 - genotype.0.iter().map(|&value| f64::from(value.abs_diff(2))).sum::<f64>() / 18.0
}

fn strategy(space: Space, seed: u64, objective: Objective) -> Portfolio {
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    let context = StrategyContext {
        space,
        seed,
        objectives: vec![objective],
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    Portfolio::create(PortfolioConfig::default(), context).unwrap()
}

fn run(seed: u64, rehearsal: Rehearsal) -> Rehearsed {
    let mut strategy = strategy(space(), seed, Objective::maximize("accuracy"));
    rehearsal.run(&mut strategy, |genotype| Ok(vec![planted(genotype)])).unwrap()
}

#[test]
fn the_best_of_4096_is_found_in_100_trials() {
    for seed in 0..5 {
        for rehearsal in [Rehearsal::of(100), Rehearsal::of(100).with_workers(4, seed)] {
            let trials = run(seed, rehearsal).trials;
            let best = trials.iter().map(|trial| trial.objectives[0]).fold(0.0, f64::max);
            assert!(best >= 1.0 - 1.0 / 18.0, "{seed}: {best}");
            let is_answer = |trial: &&Trial| trial.proposal.details.answer;
            let answers: Vec<&Trial> = trials.iter().filter(is_answer).collect();
            assert!(planted(&answers.last().unwrap().proposal.genotype) > 0.85);
            let evaluated = trials.iter().filter(|trial| !is_answer(trial));
            let different: HashSet<_> = evaluated.map(|t| &t.proposal.genotype).collect();
            assert_eq!(different.len() + answers.len(), 100);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_genotypes() {
    let genotypes = |seed| {
        let trials = run(seed, Rehearsal::of(40).with_workers(3, 0)).trials;
        trials.into_iter().map(|trial| trial.proposal.genotype).collect::<Vec<_>>()
    };
    assert_eq!(genotypes(1), genotypes(1));
    assert_ne!(genotypes(1), genotypes(2));
}

#[test]
fn failures_and_equal_results_do_not_stop_it() {
    let objective = Objective::minimize("loss");
    let mut failing = strategy(space(), 3, objective.clone());
    let rehearsed = Rehearsal::of(60)
        .run(&mut failing, |genotype| match genotype.0[0] {
            0 => Ok(vec![1.0]),
            1 => Ok(vec![f64::NAN]),
            _ => Err(Outcome::Failed),
        })
        .unwrap();
    assert_eq!(rehearsed.trials.len(), 60);
    let mut equal = strategy(space(), 3, objective);
    let rehearsed = Rehearsal::of(60).run(&mut equal, |_| Ok(vec![1.0])).unwrap();
    assert_eq!(rehearsed.trials.len(), 60);
}

#[test]
fn a_small_space_is_used_up() {
    let mut template = TemplateBuilder::new("small");
    let x = template.input([8]);
    let x = template.chosen_width("first", &[4, 8, 16, 32], Linear::new(8), x);
    let x = template.chosen_width("second", &[4, 8, 16, 32], Linear::new(8), x);
    let space = Space::new(template.finish(x).unwrap()).unwrap();
    let mut strategy = strategy(space, 0, Objective::maximize("accuracy"));
    let rehearsed =
        Rehearsal::of(100).run(&mut strategy, |g| Ok(vec![f64::from(g.0[0] + g.0[1])])).unwrap();
    let evaluated = rehearsed.trials.iter().filter(|trial| !trial.proposal.details.answer);
    assert_eq!(evaluated.count(), 16);
    assert_eq!(rehearsed.done.as_deref(), Some("the space is used up after 16 genotypes"));
    assert!(matches!(strategy.ask(1).unwrap(), Ask::Done { .. }));
}
