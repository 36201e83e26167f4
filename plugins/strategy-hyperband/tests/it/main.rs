//! Searches over fidelities against functions of genotype and epochs.

#![cfg(test)]

use std::collections::{BTreeMap, HashMap, HashSet};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};
use strategy_hyperband::{Asha, AshaConfig, Bohb, BohbConfig, Hyperband, HyperbandConfig};

/// Six layers of four widths.
fn context(seed: u64, layers: usize, epochs: u32) -> StrategyContext {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    for layer in 0..layers {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8, 16, 32], Linear::new(8), x);
    }
    StrategyContext {
        space: Space::new(template.finish(x).unwrap()).unwrap(),
        seed,
        objectives: vec![Objective::maximize("accuracy")],
        fidelity: Fidelity { epochs, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    }
}

fn asha(context: StrategyContext) -> Box<dyn SearchStrategy> {
    Box::new(Asha::create(AshaConfig::default(), context).unwrap())
}

/// New genotypes are mutants, but for one in ten.
fn breeding_asha(context: StrategyContext) -> Box<dyn SearchStrategy> {
    let config = AshaConfig { mutation_share: 0.9, ..AshaConfig::default() };
    Box::new(Asha::create(config, context).unwrap())
}

fn hyperband(context: StrategyContext) -> Box<dyn SearchStrategy> {
    Box::new(Hyperband::create(HyperbandConfig::default(), context).unwrap())
}

fn bohb(context: StrategyContext) -> Box<dyn SearchStrategy> {
    Box::new(Bohb::create(BohbConfig::default(), context).unwrap())
}

/// With a model as soon as there are five results of one fidelity.
fn early_bohb(context: StrategyContext) -> Box<dyn SearchStrategy> {
    let config = BohbConfig { min_points: 3, ..BohbConfig::default() };
    Box::new(Bohb::create(config, context).unwrap())
}

/// Promotes like `asha`, with kernels of a set width.
fn asynchronous_bohb(context: StrategyContext) -> Box<dyn SearchStrategy> {
    let config = BohbConfig { asynchronous: true, spread: 0.5, ..BohbConfig::default() };
    Box::new(Bohb::create(config, context).unwrap())
}

/// How many layers take option 2.
fn planted(genotype: &Genotype) -> f64 {
    genotype.0.iter().filter(|&&value| value == 2).count() as f64
}

fn epochs(proposal: &Proposal) -> u32 {
    proposal.details.fidelity.unwrap().epochs
}

/// So many trials, so many at once, the first begun ending first.
fn run(
    mut strategy: Box<dyn SearchStrategy>,
    workers: usize,
    n: usize,
    gain: impl Fn(&Proposal) -> Option<f64>,
) -> (Vec<Trial>, Option<String>) {
    let (mut told, mut running) = (Vec::new(), Vec::<Trial>::new());
    let mut next_id = 0;
    loop {
        if running.len() < workers && told.len() + running.len() < n {
            match strategy.ask(workers - running.len()).unwrap() {
                Ask::Proposals(proposals) => {
                    for proposal in proposals {
                        let gain = gain(&proposal);
                        running.push(Trial {
                            id: next_id,
                            outcome: gain.map_or(Outcome::Failed, |_| Outcome::Finished),
                            objectives: gain.into_iter().collect(),
                            proposal,
                            measurements: Measurements::default(),
                            cost: Cost::default(),
                            reason: None,
                        });
                        next_id += 1;
                    }
                    continue;
                }
                Ask::Wait => assert!(!running.is_empty(), "it waits for nothing"),
                Ask::Done { reason } if running.is_empty() => return (told, Some(reason)),
                Ask::Done { .. } => {}
            }
        }
        if running.is_empty() {
            return (told, None);
        }
        let trial = running.remove(0);
        strategy.tell(std::slice::from_ref(&trial)).unwrap();
        told.push(trial);
    }
}

/// Every promotion goes on from the trial of the same genotype at the fidelity below.
#[track_caller]
fn check_promotions(trials: &[Trial]) {
    let by_id: HashMap<u64, &Trial> = trials.iter().map(|trial| (trial.id, trial)).collect();
    for trial in trials {
        match trial.proposal.details.continue_from {
            None => assert!(trial.proposal.details.parents.is_empty()),
            Some(below) => {
                let below = by_id[&below];
                assert_eq!(below.proposal.genotype, trial.proposal.genotype);
                assert!(epochs(&below.proposal) < epochs(&trial.proposal));
            }
        }
    }
}

fn count_by_epochs(trials: &[Trial]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    trials.iter().for_each(|trial| *counts.entry(epochs(&trial.proposal)).or_default() += 1);
    counts
}

#[test]
fn brackets_may_begin_at_the_first_levels_alone() {
    let config = HyperbandConfig { bracket_kinds: 1, ..HyperbandConfig::default() };
    let strategy = Hyperband::create(config, context(0, 6, 9)).unwrap();
    let (told, _) = run(Box::new(strategy), 1, 60, |proposal| Some(planted(&proposal.genotype)));
    let drawn = told.iter().filter(|trial| trial.proposal.details.continue_from.is_none());
    assert!(drawn.into_iter().all(|trial| epochs(&trial.proposal) == 1));
    assert!(told.iter().any(|trial| epochs(&trial.proposal) == 9));
}

#[test]
fn a_third_goes_on_and_never_waits() {
    let (trials, _) = run(asha(context(0, 6, 9)), 3, 130, |p| Some(planted(&p.genotype)));
    check_promotions(&trials);
    let counts = count_by_epochs(&trials);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), [1, 3, 9]);
    // 90 + 30 + 10.
    assert!((85..=95).contains(&counts[&1]) && (8..=12).contains(&counts[&9]), "{counts:?}");
    let mean = |level: u32| {
        let at: Vec<f64> = trials
            .iter()
            .filter(|trial| epochs(&trial.proposal) == level)
            .map(|trial| trial.objectives[0])
            .collect();
        at.iter().sum::<f64>() / at.len() as f64
    };
    assert!(mean(1) < mean(3) && mean(3) < mean(9));
}

#[test]
fn brackets_are_those_of_the_paper() {
    // Levels 1, 3, 9: brackets of 9, 3, 1; of ⌈3 / 2 · 3⌉ = 5, 1; of 3.
    let (trials, _) = run(hyperband(context(0, 6, 9)), 1, 22, |p| Some(planted(&p.genotype)));
    check_promotions(&trials);
    let sequence: Vec<u32> = trials.iter().map(|trial| epochs(&trial.proposal)).collect();
    let expected = [vec![1; 9], vec![3; 3], vec![9], vec![3; 5], vec![9], vec![9; 3]].concat();
    assert_eq!(sequence, expected);
}

#[test]
fn several_workers_promote_the_same_as_one_where_nothing_is_random() {
    let promoted = |workers| {
        let (trials, _) =
            run(hyperband(context(0, 6, 9)), workers, 22, |p| Some(planted(&p.genotype)));
        check_promotions(&trials);
        count_by_epochs(&trials)
    };
    assert_eq!(promoted(1), promoted(1));
    assert_eq!(promoted(3).values().sum::<usize>(), 22);
}

#[test]
fn what_fails_is_never_promoted() {
    for strategy in [asha, hyperband, bohb, asynchronous_bohb] {
        let fails = |p: &Proposal| (p.genotype.0[0] != 0).then(|| planted(&p.genotype));
        let (trials, _) = run(strategy(context(1, 6, 9)), 2, 200, fails);
        check_promotions(&trials);
        let promoted = trials.iter().filter(|t| t.proposal.details.continue_from.is_some());
        assert!(
            promoted.clone().count() > 20
                && promoted.into_iter().all(|t| t.proposal.genotype.0[0] != 0)
        );
    }
}

/// How many layers take option 2 in new genotypes, of `n_trials` those from one on; the mean over 5
/// seeds.
fn mean_of_new(
    strategy: fn(StrategyContext) -> Box<dyn SearchStrategy>,
    (from, n_trials): (usize, usize),
) -> f64 {
    let (mut sum, mut n) = (0.0, 0);
    for seed in 0..5 {
        let (trials, _) =
            run(strategy(context(seed, 8, 9)), 1, n_trials, |p| Some(planted(&p.genotype)));
        for trial in trials[from..].iter().filter(|t| t.proposal.details.continue_from.is_none()) {
            (sum, n) = (sum + trial.objectives[0], n + 1);
        }
    }
    sum / f64::from(n)
}

#[test]
fn the_model_draws_better_genotypes_than_chance() {
    let late = (200, 300);
    let (model, chance) = (mean_of_new(bohb, late), mean_of_new(hyperband, late));
    assert!(model > chance + 1.0 && (1.7..2.3).contains(&chance), "{model} {chance}");
}

#[test]
fn without_brackets_the_model_draws_better_genotypes_too() {
    let (model, chance) =
        (mean_of_new(asynchronous_bohb, (200, 300)), mean_of_new(asha, (200, 300)));
    assert!(model > chance + 1.0, "{model} {chance}");
    let (trials, _) =
        run(asynchronous_bohb(context(0, 6, 9)), 3, 130, |p| Some(planted(&p.genotype)));
    let counts = count_by_epochs(&trials);
    // 90 + 30 + 10 where all are alike; more go on where later ones are better.
    assert!((75..=90).contains(&counts[&1]) && (10..=20).contains(&counts[&9]), "{counts:?}");
}

#[test]
fn mutants_of_what_goes_on_are_better_than_chance() {
    let late = (200, 300);
    let (mutants, chance) = (mean_of_new(breeding_asha, late), mean_of_new(asha, late));
    assert!(mutants > chance + 3.0 && (1.7..2.3).contains(&chance), "{mutants} {chance}");
}

#[test]
fn a_model_of_fewer_points_begins_earlier() {
    // Before the space's 8 choices and three more results are known at the lowest level.
    let early = (6, 12);
    let (few, as_published) = (mean_of_new(early_bohb, early), mean_of_new(bohb, early));
    assert!(few > as_published + 0.3, "{few} {as_published}");
}

#[test]
fn a_used_up_space_ends_the_search_after_its_last_promotions() {
    for strategy in [asha, breeding_asha, hyperband, bohb, early_bohb, asynchronous_bohb] {
        let (trials, done) =
            run(strategy(context(0, 2, 9)), 2, 1000, |p| Some(planted(&p.genotype)));
        assert_eq!(done.as_deref(), Some("the space is used up after 16 genotypes"));
        let different: HashSet<_> =
            trials.iter().map(|t| (&t.proposal.genotype, epochs(&t.proposal))).collect();
        assert_eq!(different.len(), trials.len());
    }
}

#[test]
fn brackets_that_are_not_to_be_are_refused() {
    let config = BohbConfig { asynchronous: true, bracket_kinds: 2, ..BohbConfig::default() };
    let error = Bohb::create(config, context(0, 2, 9)).err().unwrap();
    assert_eq!(error.to_string(), "begin brackets at 2 levels without brackets");
}

#[test]
fn more_epochs_to_begin_with_than_there_are_is_refused() {
    let config = AshaConfig { min_epochs: 12, ..AshaConfig::default() };
    let error = Asha::create(config, context(0, 2, 9)).err().unwrap();
    assert_eq!(error.to_string(), "begin with 12 epochs where training has 9");
}
