//! The form in which the oldest dies.

use std::collections::{HashSet, VecDeque};

use nas_plugin_api::component::{Ask, Component, SearchStrategy};
use nas_plugin_api::objective::Objective;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::toolkit::rng::generator;
use nas_plugin_api::trial::{Outcome, TrialId};
use strategy_evolution::{
    Duplicates, MutationKind, RegularizedEvolution, RegularizedEvolutionConfig,
};

use crate::{context, planted, space};

fn strategy(seed: u64, population: usize, sample_size: usize) -> RegularizedEvolution {
    let config = RegularizedEvolutionConfig { population, sample_size, ..Default::default() };
    let context = context(seed, Objective::maximize("accuracy"));
    RegularizedEvolution::create(config, context).unwrap()
}

fn run(seed: u64, population: usize, sample_size: usize, rehearsal: Rehearsal) -> Rehearsed {
    let mut strategy = strategy(seed, population, sample_size);
    rehearsal.run(&mut strategy, |genotype| Ok(vec![planted(genotype)])).unwrap()
}

#[test]
fn parents_are_never_older_than_the_population() {
    let rehearsed = run(0, 10, 3, Rehearsal::of(500));
    let mut alive: VecDeque<TrialId> = VecDeque::new();
    for trial in &rehearsed.trials {
        let parents = &trial.proposal.details.parents;
        assert_eq!(parents.len(), usize::from(trial.id >= 10));
        assert!(parents.iter().all(|parent| alive.contains(parent)));
        alive.push_back(trial.id);
        if alive.len() > 10 {
            alive.pop_front();
        }
    }
}

#[test]
fn the_best_dies_of_age_too() {
    let rehearsed = run(1, 10, 10, Rehearsal::of(500));
    let best = &rehearsed.trials[..10];
    let best = best.iter().max_by(|a, b| a.objectives[0].total_cmp(&b.objectives[0])).unwrap().id;
    let children = rehearsed.trials.iter().filter(|t| t.proposal.details.parents.contains(&best));
    let last = children.map(|trial| trial.id).max().unwrap();
    assert!(last <= best + 10, "child {last} of {best}");
}

#[test]
fn children_differ_from_their_parent_in_one_choice() {
    let rehearsed = run(2, 10, 3, Rehearsal::of(300));
    for trial in &rehearsed.trials[10..] {
        let parent = &rehearsed.trials[trial.proposal.details.parents[0] as usize];
        let pairs = trial.proposal.genotype.0.iter().zip(&parent.proposal.genotype.0);
        assert_eq!(pairs.filter(|(a, b)| a != b).count(), 1);
    }
}

#[test]
fn trials_without_a_result_never_become_parents() {
    let mut strategy = strategy(3, 10, 3);
    let rehearsed = Rehearsal::of(500).with_workers(4, 0).run(&mut strategy, |genotype| {
        if genotype.0[1] == 0 { Err(Outcome::OutOfMemory) } else { Ok(vec![planted(genotype)]) }
    });
    let trials = rehearsed.unwrap().trials;
    let failed: HashSet<TrialId> =
        trials.iter().filter(|t| t.outcome == Outcome::OutOfMemory).map(|t| t.id).collect();
    assert!(failed.len() > 10);
    assert!(trials.iter().flat_map(|t| &t.proposal.details.parents).all(|p| !failed.contains(p)));
    assert!(trials.iter().filter(|t| t.proposal.details.parents.is_empty()).count() >= 10);
}

#[test]
fn it_waits_only_where_there_is_nothing_to_breed_from() {
    let mut strategy = strategy(4, 4, 2);
    assert!(matches!(strategy.ask(9).unwrap(), Ask::Proposals(p) if p.len() == 4));
    assert_eq!(strategy.ask(9).unwrap(), Ask::Wait);
    let mut other = self::strategy(4, 4, 2);
    let first = Rehearsal { workers: 4, trials: 4, shuffle: None };
    let trials = first.run(&mut other, |genotype| Ok(vec![planted(genotype)])).unwrap().trials;
    strategy.tell(&trials[2..3]).unwrap();
    let Ask::Proposals(children) = strategy.ask(2).unwrap() else { panic!("no children") };
    assert!(children.iter().all(|child| child.details.parents == [2]));
}

#[test]
fn the_same_history_gives_the_same_proposals() {
    let genotypes = |seed| {
        let trials = run(seed, 10, 3, Rehearsal::of(300).with_workers(5, 9)).trials;
        trials.into_iter().map(|trial| trial.proposal.genotype).collect::<Vec<_>>()
    };
    assert_eq!(genotypes(5), genotypes(5));
    assert_ne!(genotypes(5), genotypes(6));
}

#[test]
fn it_beats_random_search_at_equal_evaluations() {
    const TRIALS: usize = 400;
    let space = space();
    let mut wins = 0;
    for seed in 0..20 {
        let trials = run(seed, 50, 10, Rehearsal::of(TRIALS)).trials;
        let evolved = trials.iter().map(|trial| trial.objectives[0]).fold(0.0, f64::max);
        let mut rng = generator(1000 + seed);
        let drawn = (0..TRIALS).map(|_| planted(&random_genotype(&space, &mut rng).unwrap()));
        wins += u32::from(evolved > drawn.fold(0.0, f64::max));
    }
    assert!(wins >= 18, "{wins} of 20");
}

#[test]
fn what_is_alive_is_proposed_again_only_where_duplicates_are_allowed() {
    let n_alive_twice = |duplicates| {
        let config = RegularizedEvolutionConfig {
            population: 10,
            sample_size: 3,
            mutation: MutationKind::NodeFirst,
            duplicates,
        };
        let context = context(1, Objective::maximize("accuracy"));
        let mut strategy = RegularizedEvolution::create(config, context).unwrap();
        let rehearsed =
            Rehearsal::of(500).run(&mut strategy, |genotype| Ok(vec![planted(genotype)])).unwrap();
        let space = space();
        let normal: Vec<_> =
            rehearsed.trials.iter().map(|t| space.normalize(&t.proposal.genotype)).collect();
        normal.windows(11).filter(|alive| alive[..10].contains(&alive[10])).count()
    };
    assert_eq!(n_alive_twice(Duplicates::Avoided), 0);
    assert!(n_alive_twice(Duplicates::Allowed) > 20);
}
