//! The strategy.

use std::collections::{HashMap, HashSet};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::neighbours::neighbours;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator};
use nas_plugin_api::trial::{Proposal, Trial};

use crate::gaussian_process::{GaussianProcess, Prediction, best_shape, expected_improvement};
use crate::kernel::Shape;
use crate::views::{Viewer, Views};

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;
/// The shape of the process is chosen anew when there are so many times as many observations.
const GROWTH: f64 = 1.4;
/// Views that are kept; then all are forgotten, which costs time and nothing else.
const MAX_KEPT: usize = 50_000;

nas_plugin_api::configuration! {
    /// Settings of the portfolio.
    pub struct PortfolioConfig {
        /// Random genotypes in the beginning.
        #[schemars(range(min = 2, max = 10_000))]
        pub starts: usize = 10_usize,
        /// Genotypes thought best so far whose neighbours are looked at.
        #[schemars(range(min = 1, max = 1000))]
        pub centres: usize = 6_usize,
        /// Random genotypes that are looked at beside.
        #[schemars(range(min = 1, max = 100_000))]
        pub random_candidates: usize = 60_usize,
        /// Most observations that are learnt from: the best ones, and half as many of the latest.
        #[schemars(range(min = 10, max = 5000))]
        pub max_observations: usize = 300_usize,
    }
}

/// Proposes what is expected to improve most on what is thought best.
///
/// # Source
/// The process and what is expected: [`crate`]'s modules name theirs. The paths are those of White,
/// Neiswanger, Savani. BANANAS, AAAI 2021, section 3, as a set and without identities.
pub struct Portfolio {
    config: PortfolioConfig,
    context: StrategyContext,
    rng: Generator,
    viewer: Viewer,
    views: HashMap<Genotype, Views>,
    /// Normalised genotypes.
    proposed: HashSet<Genotype>,
    /// What was told, in its order; minus infinity for a trial without a result.
    observed: Vec<(Genotype, f64)>,
    running: Vec<Genotype>,
    /// What it answered with last.
    answered: Option<Genotype>,
    shape: Option<(Shape, usize)>,
}

/// What the process says.
struct Thought {
    /// Of what was observed, what is thought best: a lucky result counts less than one among good
    /// neighbours.
    best: Genotype,
    /// What to evaluate next.
    next: Option<Genotype>,
}

impl Component for Portfolio {
    const NAME: &'static str = "portfolio";
    const SUMMARY: &'static str = "learns what good networks have in common, and tries the most \
                                   promising";
    type Config = PortfolioConfig;
    type Context = StrategyContext;

    fn create(config: PortfolioConfig, context: StrategyContext) -> Result<Self, PluginError> {
        Ok(Self {
            rng: generator(context.seed),
            viewer: Viewer::new(&context.space),
            views: HashMap::new(),
            proposed: HashSet::new(),
            observed: Vec::new(),
            running: Vec::new(),
            answered: None,
            shape: None,
            config,
            context,
        })
    }
}

impl SearchStrategy for Portfolio {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals: Vec<Proposal> = Vec::with_capacity(slots);
        while proposals.len() < slots {
            let is_start = self.proposed.len() < self.config.starts;
            let promising = match is_start {
                true => None,
                false => self.most_promising()?,
            };
            let promising = match promising {
                Some(Thought { best, .. }) if self.answered.as_ref() != Some(&best) => {
                    proposals.push(Proposal::from(best.clone()).as_answer());
                    self.answered = Some(best);
                    continue;
                }
                thought => thought.and_then(|thought| thought.next),
            };
            let Some(genotype) = promising.map_or_else(|| self.random(), |g| Ok(Some(g)))? else {
                break;
            };
            self.proposed.insert(self.context.space.normalize(&genotype));
            self.running.push(genotype.clone());
            proposals.push(genotype.into());
        }
        let reason = format!("the space is used up after {} genotypes", self.proposed.len());
        Ok(match (proposals.is_empty(), self.running.is_empty()) {
            (false, _) => Ask::Proposals(proposals),
            (true, false) => Ask::Wait,
            (true, true) => Ask::Done { reason },
        })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            let genotype = &trial.proposal.genotype;
            if trial.proposal.details.answer {
                continue;
            }
            if let Some(place) = self.running.iter().position(|running| running == genotype) {
                self.running.remove(place);
            }
            if self.context.space.check(genotype).is_ok() {
                // NaN, which would break the order, becomes the worst there is.
                let gain = self.context.gain(trial).max(f64::NEG_INFINITY);
                self.observed.push((genotype.clone(), gain));
            }
        }
        Ok(())
    }
}

impl Portfolio {
    /// A random genotype that was not proposed yet.
    fn random(&mut self) -> Result<Option<Genotype>, PluginError> {
        for _ in 0..TRIES {
            let genotype = random_genotype(&self.context.space, &mut self.rng)?;
            if !self.proposed.contains(&self.context.space.normalize(&genotype)) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    /// What is thought best, and the candidate that is expected to improve most on it; nothing where
    /// there is too little to learn from.
    fn most_promising(&mut self) -> Result<Option<Thought>, PluginError> {
        let learnt = self.to_learn_from();
        let Some(targets) = targets(&learnt) else { return Ok(None) };
        if self.views.len() > MAX_KEPT {
            self.views.clear();
        }
        let seen: Vec<Genotype> = learnt.into_iter().map(|(genotype, _)| genotype).collect();
        seen.iter().for_each(|genotype| self.keep_views(genotype));
        self.choose_shape(&seen, &targets);
        let Some((shape, _)) = self.shape else { return Ok(None) };
        let views = self.all_views(&seen);
        let Some(process) = GaussianProcess::new(&shape, &views, &targets) else {
            return Ok(None);
        };
        let thought = process.predict(&views, &views);
        let mut order: Vec<usize> = (0..seen.len()).collect();
        order.sort_by(|&a, &b| thought[b].mean.total_cmp(&thought[a].mean));
        order.truncate(self.config.centres);
        let thought_best = seen[order[0]].clone();
        let candidates = self.candidates(&order.iter().map(|&i| &seen[i]).collect::<Vec<_>>())?;
        candidates.iter().for_each(|genotype| self.keep_views(genotype));
        // What runs is taken for as good as it is thought to be, so that not all try the same.
        let running = self.running.clone();
        running.iter().for_each(|genotype| self.keep_views(genotype));
        let (views, asked) = (self.all_views(&seen), self.all_views(&candidates));
        let running = self.all_views(&running);
        let best = thought.iter().map(|one| one.mean).fold(f64::NEG_INFINITY, f64::max);
        let predictions = match running.is_empty() {
            true => process.predict(&views, &asked),
            false => predict_beside(&process, &shape, (&views, &targets), &running, &asked),
        };
        let gains = predictions.iter().map(|one| expected_improvement(*one, best));
        let found = gains.zip(candidates).reduce(|a, b| if b.0 > a.0 { b } else { a });
        Ok(Some(Thought { best: thought_best, next: found.map(|(_, genotype)| genotype) }))
    }

    /// Neighbours of these and random genotypes, all new and different.
    fn candidates(&mut self, centres: &[&Genotype]) -> Result<Vec<Genotype>, PluginError> {
        let space = &self.context.space;
        let mut met = HashSet::new();
        let mut candidates = Vec::new();
        let mut add = |genotype: Genotype, normal: Genotype| {
            if !self.proposed.contains(&normal) && met.insert(normal) {
                candidates.push(genotype);
            }
        };
        for centre in centres {
            neighbours(space, centre).into_iter().for_each(|one| add(one.clone(), one));
        }
        for _ in 0..self.config.random_candidates {
            let genotype = random_genotype(space, &mut self.rng)?;
            let normal = space.normalize(&genotype);
            add(genotype, normal);
        }
        Ok(candidates)
    }

    fn keep_views(&mut self, genotype: &Genotype) {
        if !self.views.contains_key(genotype) {
            let views = self.viewer.views(genotype);
            self.views.insert(genotype.clone(), views);
        }
    }

    /// Those of genotypes that have them.
    fn all_views(&self, genotypes: &[Genotype]) -> Vec<&Views> {
        genotypes.iter().filter_map(|genotype| self.views.get(genotype)).collect()
    }

    fn choose_shape(&mut self, seen: &[Genotype], targets: &[f64]) {
        let n = self.observed.len();
        let is_due = self.shape.is_none_or(|(_, then)| n as f64 >= GROWTH * then as f64);
        if is_due && let Some(shape) = best_shape(&self.all_views(seen), targets) {
            self.shape = Some((shape, n));
        }
    }

    /// All observations, or the best and the latest of them.
    fn to_learn_from(&self) -> Vec<(Genotype, f64)> {
        let most = self.config.max_observations;
        if self.observed.len() <= most {
            return self.observed.clone();
        }
        let mut order: Vec<usize> = (0..self.observed.len()).collect();
        let (older, latest) = order.split_at_mut(self.observed.len() - most / 3);
        older.sort_by(|&a, &b| self.observed[b].1.total_cmp(&self.observed[a].1));
        let kept = older.iter().take(most - most / 3).chain(latest.iter());
        kept.map(|&index| self.observed[index].clone()).collect()
    }
}

/// Predictions that take what runs for as good as it is thought to be.
fn predict_beside(
    process: &GaussianProcess,
    shape: &Shape,
    (seen, targets): (&[&Views], &[f64]),
    running: &[&Views],
    asked: &[&Views],
) -> Vec<Prediction> {
    let thought = process.predict(seen, running);
    let all: Vec<&Views> = seen.iter().chain(running).copied().collect();
    let believed: Vec<f64> =
        targets.iter().copied().chain(thought.iter().map(|one| one.mean)).collect();
    match GaussianProcess::new(shape, &all, &believed) {
        Some(beside) => beside.predict(&all, asked),
        None => process.predict(seen, asked),
    }
}

/// Results with mean 0 and deviation 1; bad ones, which say little about good ones, are all as bad
/// as twice the way from the median down that the best tenth lies above it. Absent where all are
/// equal.
fn targets(observed: &[(Genotype, f64)]) -> Option<Vec<f64>> {
    let mut sorted: Vec<f64> =
        observed.iter().map(|(_, gain)| *gain).filter(|gain| gain.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let (median, high) = (sorted[last / 2], sorted[last * 9 / 10]);
    let floor = median - 2.0 * (high - median);
    let mut targets: Vec<f64> = observed.iter().map(|(_, gain)| gain.max(floor)).collect();
    let n = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / n;
    targets.iter_mut().for_each(|target| *target -= mean);
    let deviation = (targets.iter().map(|target| target * target).sum::<f64>() / n).sqrt();
    targets.iter_mut().for_each(|target| *target /= deviation);
    (deviation > 0.0 && deviation.is_finite()).then_some(targets)
}
