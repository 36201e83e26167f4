//! The generational form.

use std::collections::{BTreeMap, HashSet};

use nas_plugin_api::component::{Ask, Component, SearchStrategy};
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Outcome, Trial, TrialId};
use strategy_evolution::{Evolution, EvolutionConfig};

use crate::{context, planted, space};

fn evolution(seed: u64, config: EvolutionConfig) -> Evolution {
    Evolution::create(config, context(seed, Objective::maximize("accuracy"))).unwrap()
}

fn small() -> EvolutionConfig {
    EvolutionConfig { population: 10, generations: 6, ..EvolutionConfig::default() }
}

fn run(seed: u64, config: EvolutionConfig, rehearsal: Rehearsal) -> Rehearsed {
    rehearsal.run(&mut evolution(seed, config), |genotype| Ok(vec![planted(genotype)])).unwrap()
}

/// Trials by generation.
fn generations(rehearsed: &Rehearsed) -> BTreeMap<u32, Vec<&Trial>> {
    let mut found: BTreeMap<u32, Vec<&Trial>> = BTreeMap::new();
    for trial in &rehearsed.trials {
        found.entry(trial.proposal.details.generation.unwrap()).or_default().push(trial);
    }
    found
}

/// Ids of the best `n` of these trials.
fn best(trials: &[&Trial], n: usize) -> Vec<TrialId> {
    let mut sorted = trials.to_vec();
    sorted.sort_by(|a, b| b.objectives[0].total_cmp(&a.objectives[0]).then(a.id.cmp(&b.id)));
    sorted.iter().take(n).map(|trial| trial.id).collect()
}

#[test]
fn the_defaults_evaluate_50_networks_and_then_25_a_generation() {
    let rehearsed = run(0, EvolutionConfig::default(), Rehearsal::of(10_000).with_workers(8, 1));
    let sizes: Vec<usize> = generations(&rehearsed).values().map(Vec::len).collect();
    assert_eq!((sizes[0], sizes.len()), (50, 100));
    assert!(sizes[1..].iter().all(|&n| n == 25));
    assert_eq!(rehearsed.done.as_deref(), Some("100 generations are over"));
}

#[test]
fn parents_are_of_the_best_half_and_survivors_stay_for_ever() {
    let rehearsed = run(3, small(), Rehearsal::of(1000));
    let mut population: Vec<&Trial> = Vec::new();
    for (generation, trials) in generations(&rehearsed) {
        let survivors = best(&population, 5);
        for trial in &trials {
            let parents = &trial.proposal.details.parents;
            assert_eq!(parents.len(), if generation == 0 { 0 } else { 2 });
            assert!(parents.iter().all(|parent| survivors.contains(parent)), "{generation}");
            assert!(generation == 0 || parents[0] != parents[1]);
        }
        population.retain(|member| survivors.contains(&member.id));
        population.extend(trials);
        assert_eq!(population.len(), 10);
    }
}

#[test]
fn no_network_is_twice_in_a_population() {
    let space = space();
    let rehearsed = run(4, small(), Rehearsal::of(1000));
    let mut population: Vec<&Trial> = Vec::new();
    for trials in generations(&rehearsed).into_values() {
        let survivors = best(&population, 5);
        population.retain(|member| survivors.contains(&member.id));
        population.extend(trials);
        let normal = population.iter().map(|trial| space.normalize(&trial.proposal.genotype));
        assert_eq!(normal.collect::<HashSet<_>>().len(), 10);
    }
}

#[test]
fn the_best_half_never_gets_worse() {
    let rehearsed = run(5, small(), Rehearsal::of(1000));
    let mut population: Vec<&Trial> = Vec::new();
    let mut worst_survivor = 0.0;
    for trials in generations(&rehearsed).into_values() {
        population.extend(trials);
        let survivors = best(&population, 5);
        population.retain(|member| survivors.contains(&member.id));
        let worst = population.iter().map(|t| t.objectives[0]).fold(f64::INFINITY, f64::min);
        assert!(worst >= worst_survivor);
        worst_survivor = worst;
    }
}

#[test]
fn the_order_in_which_trials_end_does_not_matter() {
    let genotypes = |workers, shuffle| {
        let rehearsed = run(6, small(), Rehearsal::of(1000).with_workers(workers, shuffle));
        let by_id: BTreeMap<_, _> =
            rehearsed.trials.into_iter().map(|trial| (trial.id, trial.proposal.genotype)).collect();
        by_id.into_values().collect::<Vec<_>>()
    };
    assert_eq!(genotypes(1, 0), genotypes(7, 1));
    assert_eq!(genotypes(7, 2), genotypes(100, 3));
}

#[test]
fn a_generation_waits_for_its_last_trial() {
    let mut evolution = evolution(7, small());
    let Ask::Proposals(proposals) = evolution.ask(100).unwrap() else { panic!("no proposals") };
    assert_eq!((proposals.len(), evolution.ask(1).unwrap()), (10, Ask::Wait));
    let told = Rehearsal { workers: 10, trials: 10, shuffle: None };
    let mut other = self::evolution(7, small());
    let trials = told.run(&mut other, |genotype| Ok(vec![planted(genotype)])).unwrap().trials;
    evolution.tell(&trials[..9]).unwrap();
    assert_eq!(evolution.ask(1).unwrap(), Ask::Wait);
    evolution.tell(&trials[9..]).unwrap();
    assert!(matches!(evolution.ask(3).unwrap(), Ask::Proposals(proposals) if proposals.len() == 3));
}

#[test]
fn trials_without_a_result_are_the_worst() {
    let mut evolution = evolution(8, small());
    let rehearsed = Rehearsal::of(1000)
        .run(&mut evolution, |genotype| match genotype.0[0] % 2 {
            0 => Ok(vec![planted(genotype) - 10.0]),
            _ => Err(Outcome::Refused),
        })
        .unwrap();
    let refused: HashSet<TrialId> = rehearsed
        .trials
        .iter()
        .filter(|trial| trial.outcome == Outcome::Refused)
        .map(|trial| trial.id)
        .collect();
    let last = &generations(&rehearsed)[&5];
    assert!(!refused.is_empty());
    assert!(last.iter().flat_map(|t| &t.proposal.details.parents).all(|id| !refused.contains(id)));
}

#[test]
fn what_is_minimised_gets_small() {
    let context = context(9, Objective::minimize("loss"));
    let mut evolution = Evolution::create(EvolutionConfig::default(), context).unwrap();
    let rehearsed =
        Rehearsal::of(1000).run(&mut evolution, |genotype| Ok(vec![1.0 - planted(genotype)]));
    let trials = rehearsed.unwrap().trials;
    assert_eq!(trials.iter().map(|t| t.objectives[0]).fold(f64::INFINITY, f64::min), 0.0);
}

#[test]
fn a_space_smaller_than_the_population_does_not_hang() {
    let mut template = TemplateBuilder::new("tiny");
    let input = template.input([4]);
    let x = template.chosen_width("width", &[1, 2], Linear::new(2), input);
    let mut context = context(0, Objective::maximize("accuracy"));
    context.space = Space::new(template.finish(x).unwrap()).unwrap();
    let mut evolution = Evolution::create(small(), context).unwrap();
    let rehearsed = Rehearsal::of(1000).run(&mut evolution, |_| Ok(vec![0.5])).unwrap();
    assert_eq!(rehearsed.trials.len(), 10 + 5 * 5);
}
