//! REINFORCE against a function of the genotype.

#![cfg(test)]

use nas_plugin_api::component::{Component, SearchStrategy, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome};
use strategy_reinforce::{Reinforce, ReinforceConfig};

/// Six layers of four widths.
fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    for layer in 0..6 {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8, 16, 32], Linear::new(8), x);
    }
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// Share of choices that take option 2.
fn planted(genotype: &Genotype) -> f64 {
    genotype.0.iter().filter(|&&value| value == 2).count() as f64 / 6.0
}

fn run(
    seed: u64,
    rehearsal: Rehearsal,
    objective: Objective,
    evaluate: impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
) -> Rehearsed {
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    let context = StrategyContext {
        space: space(),
        seed,
        objectives: vec![objective],
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let mut strategy = Reinforce::create(ReinforceConfig::default(), context).unwrap();
    rehearsal.run(&mut strategy as &mut dyn SearchStrategy, evaluate).unwrap()
}

fn mean(trials: &[nas_plugin_api::trial::Trial]) -> f64 {
    trials.iter().map(|trial| planted(&trial.proposal.genotype)).sum::<f64>() / trials.len() as f64
}

#[test]
fn the_policy_comes_to_draw_what_is_rewarded() {
    let objective = Objective::maximize("accuracy");
    let trials = run(0, Rehearsal::of(1500), objective, |g| Ok(vec![planted(g)])).trials;
    let (first, last) = (mean(&trials[..100]), mean(&trials[1400..]));
    assert!(first < 0.4 && last > 0.9, "{first} {last}");
}

#[test]
fn what_is_minimised_gets_rare() {
    let objective = Objective::minimize("loss");
    let trials = run(1, Rehearsal::of(1500), objective, |g| Ok(vec![planted(g)])).trials;
    assert!(mean(&trials[1400..]) < 0.08, "{}", mean(&trials[1400..]));
}

#[test]
fn trials_without_a_result_teach_nothing() {
    let objective = Objective::maximize("accuracy");
    let trials = run(2, Rehearsal::of(1500), objective, |_| Err(Outcome::Failed)).trials;
    assert!((mean(&trials[1000..]) - 0.25).abs() < 0.03);
}

#[test]
fn the_same_seed_gives_the_same_genotypes() {
    let genotypes = |seed| {
        let rehearsal = Rehearsal::of(100).with_workers(3, 0);
        let objective = Objective::maximize("accuracy");
        let trials = run(seed, rehearsal, objective, |g| Ok(vec![planted(g)])).trials;
        trials.into_iter().map(|trial| trial.proposal.genotype).collect::<Vec<_>>()
    };
    assert_eq!(genotypes(1), genotypes(1));
    assert_ne!(genotypes(1), genotypes(2));
}
