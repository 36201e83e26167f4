//! The portfolio against functions of the genotype.

#![cfg(test)]

use std::collections::{HashSet, VecDeque};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};
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
    with_proxies(space, seed, objective, &[], PortfolioConfig::default())
}

/// A portfolio in a run that has these proxies.
fn with_proxies(
    space: Space,
    seed: u64,
    objective: Objective,
    proxies: &[&str],
    config: PortfolioConfig,
) -> Portfolio {
    let proxies = proxies.iter().map(|&name| name.to_owned()).collect();
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    let objectives = vec![objective];
    let untrained_share = 0.001;
    let context = StrategyContext { space, seed, objectives, fidelity, proxies, untrained_share };
    Portfolio::create(config, context).unwrap()
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

/// A run of so many trainings with proxies: `measure` gives those of a genotype, or how it fails.
struct WithProxies<M> {
    config: PortfolioConfig,
    workers: usize,
    measure: M,
}

impl<M: FnMut(&Genotype) -> Result<Measurements, Outcome>> WithProxies<M> {
    /// The trials in the order in which they were told; `workers` run at once, the oldest ends first.
    fn run(&mut self, seed: u64, trainings: usize) -> Vec<Trial> {
        let objective = Objective::maximize("accuracy");
        let proxies = ["synflow", "naswot"];
        let mut strategy = with_proxies(space(), seed, objective, &proxies, self.config.clone());
        let (mut running, mut told) = (VecDeque::new(), Vec::new());
        let (mut next_id, mut trained) = (0, 0);
        while trained < trainings {
            let slots = self.workers - running.len();
            if let (1.., Ask::Proposals(proposals)) = (slots, strategy.ask(slots.max(1)).unwrap()) {
                for proposal in proposals {
                    running.push_back(self.evaluate(next_id, proposal));
                    next_id += 1;
                }
            }
            let trial: Trial = running.pop_front().unwrap();
            let is_new = !trial.proposal.details.answer && !trial.proposal.is_untrained();
            trained += usize::from(is_new);
            strategy.tell(std::slice::from_ref(&trial)).unwrap();
            told.push(trial);
        }
        told
    }

    fn evaluate(&mut self, id: u64, proposal: Proposal) -> Trial {
        let genotype = &proposal.genotype;
        let (outcome, measurements) = match proposal.is_untrained() {
            true => match (self.measure)(genotype) {
                Ok(measurements) => (Outcome::Untrained, measurements),
                Err(outcome) => (outcome, Measurements::default()),
            },
            false => (Outcome::Finished, Measurements::default()),
        };
        let objectives = match outcome {
            Outcome::Finished => vec![planted(genotype)],
            _ => Vec::new(),
        };
        let (cost, reason) = (Cost::default(), None);
        Trial { id, proposal, outcome, objectives, measurements, cost, reason }
    }
}

fn trained(trials: &[Trial]) -> impl Iterator<Item = &Trial> {
    trials.iter().filter(|one| !one.proposal.details.answer && !one.proposal.is_untrained())
}

fn best(trials: &[Trial]) -> f64 {
    trained(trials).map(|trial| planted(&trial.proposal.genotype)).fold(0.0, f64::max)
}

#[test]
fn good_proxies_save_trainings_and_none_is_trained_that_was_not_measured() {
    let told = |genotype: &Genotype| {
        // One goes with what is planted, the other with nothing.
        let noise = genotype.0.iter().fold(7_u64, |h, &v| h.wrapping_mul(31) + u64::from(v)) % 97;
        let (synflow, naswot) = (1e3 * planted(genotype).powi(3), noise as f64);
        Ok(Measurements::from([("synflow", synflow), ("naswot", naswot)]))
    };
    for workers in [1, 3] {
        let config = PortfolioConfig::default();
        let mut with = WithProxies { config, workers, measure: told };
        let config = PortfolioConfig { sample: 0, ..PortfolioConfig::default() };
        let mut without = WithProxies { config, workers, measure: told };
        let mean = |means: [f64; 8]| means.iter().sum::<f64>() / 8.0;
        let seeds = [0, 1, 2, 3, 4, 5, 6, 7];
        let (saved, blind) = (
            mean(seeds.map(|seed| best(&with.run(seed, 8)))),
            mean(seeds.map(|seed| best(&without.run(seed, 8)))),
        );
        assert!(saved > 0.95 && saved > blind + 0.03, "{saved} with, {blind} without");
        let trials = with.run(9, 20);
        let is_untrained = |trial: &&Trial| trial.proposal.is_untrained();
        let measured: HashSet<&Genotype> =
            trials.iter().filter(is_untrained).map(|trial| &trial.proposal.genotype).collect();
        assert_eq!(measured.len(), trials.iter().filter(is_untrained).count(), "measured twice");
        assert!(trained(&trials).all(|trial| measured.contains(&trial.proposal.genotype)));
        assert!(without.run(9, 20).iter().all(|trial| !trial.proposal.is_untrained()));
    }
}

#[test]
fn proxies_that_fail_are_missing_or_mean_nothing_do_not_stop_it() {
    let config = PortfolioConfig::default;
    let failing = |_: &Genotype| Err(Outcome::Failed);
    let mut failing = WithProxies { config: config(), workers: 2, measure: failing };
    assert!(best(&failing.run(1, 60)) > 0.85);
    let mut missing = WithProxies {
        config: config(),
        workers: 2,
        measure: |genotype: &Genotype| match genotype.0[0] {
            0 => Ok(Measurements::default()),
            1 => Ok(Measurements::from([("synflow", f64::NAN), ("naswot", f64::INFINITY)])),
            value => Ok(Measurements::from([("naswot", f64::from(value))])),
        },
    };
    assert!(best(&missing.run(1, 60)) > 0.85);
    let against = |genotype: &Genotype| Ok(Measurements::from([("synflow", -planted(genotype))]));
    let mut against = WithProxies { config: config(), workers: 1, measure: against };
    assert!(best(&against.run(1, 60)) > 0.9);
}

#[test]
fn what_is_refused_untrained_is_never_trained() {
    let measure = |genotype: &Genotype| match genotype.0[5] {
        3 => Err(Outcome::Refused),
        value => Ok(Measurements::from([("synflow", f64::from(value))])),
    };
    let mut refusing = WithProxies { config: PortfolioConfig::default(), workers: 1, measure };
    let trials = refusing.run(2, 40);
    assert!(trained(&trials).all(|trial| trial.proposal.genotype.0[5] != 3));
}

#[test]
fn measuring_takes_no_longer_than_the_trainings_that_it_saves() {
    let context = StrategyContext {
        space: space(),
        seed: 0,
        objectives: vec![Objective::maximize("accuracy")],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: vec!["synflow".to_owned()],
        untrained_share: 0.1,
    };
    let mut strategy = Portfolio::create(PortfolioConfig::default(), context).unwrap();
    let Ask::Proposals(proposals) = strategy.ask(50).unwrap() else { panic!() };
    assert_eq!(proposals.iter().filter(|one| one.is_untrained()).count(), 10);
}

#[test]
fn the_last_look_is_at_what_is_thought_best_and_ends_the_search() {
    let config = PortfolioConfig {
        final_look: 3,
        final_look_epochs: 9,
        final_look_after: 12,
        ..PortfolioConfig::default()
    };
    let objective = Objective::maximize("accuracy");
    let mut strategy = with_proxies(space(), 4, objective, &[], config);
    let rehearsed = Rehearsal::of(100).run(&mut strategy, |g| Ok(vec![planted(g)])).unwrap();
    assert_eq!(rehearsed.done.as_deref(), Some("the last look was taken after 12 trainings"));
    let longer = Some(Fidelity { epochs: 9, data_fraction: 1.0 });
    let looked_at: Vec<&Trial> =
        rehearsed.trials.iter().filter(|trial| trial.proposal.details.fidelity == longer).collect();
    assert_eq!(looked_at.len(), 3);
    let answer = rehearsed.trials.iter().rfind(|trial| trial.proposal.details.answer).unwrap();
    let best = looked_at.iter().map(|trial| trial.objectives[0]).fold(0.0, f64::max);
    assert_eq!(planted(&answer.proposal.genotype), best);
}
