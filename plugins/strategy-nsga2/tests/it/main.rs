//! NSGA-II against functions of the genotype.

#![cfg(test)]

use std::collections::HashSet;

use nas_plugin_api::component::{Component, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::pareto::fronts;
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome};
use strategy_nsga2::{Nsga2, Nsga2Config, Selection};

/// Six layers of four widths: 4096 networks.
fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    for layer in 0..6 {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8, 16, 32], Linear::new(8), x);
    }
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// Good where the first three layers are wide, slow by the sum of all: 10 networks are on the front,
/// those whose last three layers are narrowest.
fn trade_off(genotype: &Genotype) -> Vec<f64> {
    let sum = |values: &[u16]| values.iter().map(|&value| f64::from(value)).sum::<f64>();
    vec![sum(&genotype.0[..3]), sum(&genotype.0)]
}

fn run(
    config: Nsga2Config,
    seed: u64,
    limit: Option<f64>,
    rehearsal: Rehearsal,
    evaluate: impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
) -> Rehearsed {
    let latency = Objective { limit, ..Objective::minimize("latency_ms") };
    let context = StrategyContext {
        space: space(),
        seed,
        objectives: vec![Objective::maximize("accuracy"), latency],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    rehearsal.run(&mut Nsga2::create(config, context).unwrap(), evaluate).unwrap()
}

/// Different points on the front of what was found.
fn front(rehearsed: &Rehearsed) -> HashSet<[i64; 2]> {
    let points: Vec<[f64; 2]> = rehearsed
        .trials
        .iter()
        .filter_map(|trial| Some([*trial.objectives.first()?, -*trial.objectives.get(1)?]))
        .collect();
    let first = fronts(&points).swap_remove(0);
    first.into_iter().map(|place| points[place].map(|value| value as i64)).collect()
}

#[test]
fn the_whole_front_is_found_either_way() {
    let expected: HashSet<[i64; 2]> = (0..=9).map(|sum| [sum, -sum]).collect();
    for selection in [Selection::Crowding, Selection::ReferencePoints] {
        for seed in 0..10 {
            let config = Nsga2Config { population: 20, selection, ..Nsga2Config::default() };
            let found = run(config, seed, None, Rehearsal::of(400), |g| Ok(trade_off(g)));
            assert_eq!(front(&found), expected, "{selection:?} {seed}");
        }
    }
}

#[test]
fn random_draws_find_less() {
    let config = Nsga2Config { population: 400, ..Nsga2Config::default() };
    let found = run(config, 0, None, Rehearsal::of(400), |genotype| Ok(trade_off(genotype)));
    assert!(front(&found).len() < 10);
}

#[test]
fn beyond_a_limit_it_comes_back_to_what_is_feasible() {
    for selection in [Selection::Crowding, Selection::ReferencePoints] {
        let config = Nsga2Config { population: 20, selection, ..Nsga2Config::default() };
        // One in 400 is that fast.
        let found = run(config, 1, Some(3.0), Rehearsal::of(400), |g| Ok(trade_off(g)));
        let feasible = |trials: &[nas_plugin_api::trial::Trial]| {
            trials.iter().filter(|trial| trial.objectives[1] <= 3.0).count()
        };
        assert!(feasible(&found.trials[..20]) <= 1);
        let best = found.trials.iter().filter(|t| t.objectives[1] <= 3.0).map(|t| t.objectives[0]);
        assert_eq!(best.fold(0.0, f64::max), 3.0, "{selection:?}");
    }
}

#[test]
fn trials_without_a_result_have_no_children_while_there_are_others() {
    let config = Nsga2Config { population: 20, ..Nsga2Config::default() };
    let evaluate = |genotype: &Genotype| match genotype.0[5] {
        0 => Ok(trade_off(genotype)),
        _ => Err(Outcome::Failed),
    };
    let found = run(config, 2, None, Rehearsal::of(400), evaluate).trials;
    // A hundred trials give more of them than a population has.
    let late = found.iter().filter(|trial| trial.id >= 100);
    let parents: Vec<u64> = late.flat_map(|trial| trial.proposal.details.parents.clone()).collect();
    assert!(parents.len() > 100);
    for parent in parents {
        assert_eq!(found[parent as usize].outcome, Outcome::Finished, "trial {parent}");
    }
}

#[test]
fn the_same_whatever_order_trials_end_in_and_nothing_twice() {
    let found = |workers: usize| {
        let config = Nsga2Config { population: 24, ..Nsga2Config::default() };
        let rehearsal = Rehearsal::of(240).with_workers(workers, 7);
        let mut trials = run(config, 3, None, rehearsal, |genotype| Ok(trade_off(genotype))).trials;
        trials.sort_by_key(|trial| trial.id);
        trials.into_iter().map(|trial| trial.proposal.genotype).collect::<Vec<_>>()
    };
    let one = found(1);
    assert_eq!(one, found(5));
    assert_eq!(one.iter().collect::<HashSet<_>>().len(), 240);
}

#[test]
fn a_space_that_is_used_up_ends_the_search() {
    let found = run(Nsga2Config::default(), 0, None, Rehearsal::of(5000), |g| Ok(trade_off(g)));
    assert_eq!(found.trials.len(), 4096);
    assert_eq!(found.done.as_deref(), Some("the space is used up after 4096 genotypes"));
}
