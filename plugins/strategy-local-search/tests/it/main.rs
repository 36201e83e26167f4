//! Local search against functions of the genotype.

#![cfg(test)]

use std::collections::HashSet;

use local_search_setup::{planted, run, space};
use nas_plugin_api::toolkit::neighbours::neighbours;
use nas_plugin_api::toolkit::rehearsal::Rehearsal;
use nas_plugin_api::trial::Outcome;
use strategy_local_search::Step;

mod local_search_setup;

#[test]
fn nothing_is_proposed_twice_and_the_space_is_used_up() {
    for step in [Step::First, Step::Best] {
        let rehearsal = Rehearsal::of(1000).with_workers(3, 0);
        let rehearsed = run(step, 0, rehearsal, |genotype| Ok(vec![planted(genotype)]));
        let different: HashSet<_> = rehearsed.trials.iter().map(|t| &t.proposal.genotype).collect();
        assert_eq!((rehearsed.trials.len(), different.len()), (256, 256));
        assert_eq!(rehearsed.done.as_deref(), Some("the space is used up after 256 genotypes"));
    }
}

#[test]
fn after_the_starts_it_climbs_to_the_top_of_a_single_hill() {
    for step in [Step::First, Step::Best] {
        for seed in 0..20 {
            let trials =
                run(step, seed, Rehearsal::of(65), |genotype| Ok(vec![planted(genotype)])).trials;
            let top = trials.iter().position(|trial| trial.objectives[0] == 1.0);
            assert!(top.is_some(), "{step:?} {seed}");
        }
    }
}

#[test]
fn after_the_starts_come_neighbours_of_the_best() {
    let trials = run(Step::First, 3, Rehearsal::of(11), |g| Ok(vec![planted(g)])).trials;
    let best = trials[..10]
        .iter()
        .max_by(|a, b| a.objectives[0].total_cmp(&b.objectives[0]).then(b.id.cmp(&a.id)));
    let near = neighbours(&space(), &best.unwrap().proposal.genotype);
    assert!(near.contains(&trials[10].proposal.genotype));
}

#[test]
fn it_begins_anew_where_nothing_has_a_result() {
    let rehearsed = run(Step::First, 1, Rehearsal::of(400), |_| Err(Outcome::Failed));
    assert_eq!(rehearsed.trials.len(), 256);
}
