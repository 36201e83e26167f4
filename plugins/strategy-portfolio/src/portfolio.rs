//! The strategy.

use std::collections::{HashSet, VecDeque};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::neighbours::neighbours;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, SliceRandom, generator};
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};

use crate::config::PortfolioConfig;
use crate::final_look::FinalLook;
use crate::model::Model;
use crate::observed::Observed;
use crate::proxies::Pool;

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;
/// At most so many trainings' time goes into the sample, and so much of each training's time into what
/// is measured before it: proxies of networks that train in seconds are not free.
const SAMPLE_TRAININGS: f64 = 1.0;
const NEIGHBOURS_TRAININGS: f64 = 0.1;

/// Proposes what is expected to improve most on what is thought best.
///
/// All genotypes that it knows are normalised.
///
/// # Source
/// The processes and what is expected: [`crate`]'s modules name theirs. The paths are those of White,
/// Neiswanger, Savani. BANANAS, AAAI 2021, section 3, as a set and without identities. Proxies to
/// begin with: Abdelfattah, Mehrotra, Dudziak, Lane. Zero-cost proxies for lightweight NAS, ICLR
/// 2021, section 5; as features: White, Zela, Ru, Liu, Hutter. How powerful are performance
/// predictors in neural architecture search?, NeurIPS 2021, section 4.
pub struct Portfolio {
    config: PortfolioConfig,
    context: StrategyContext,
    rng: Generator,
    model: Model,
    pool: Pool,
    /// Untrained networks that are to be measured before the next one is trained.
    to_measure: VecDeque<Genotype>,
    /// Untrained networks that are being measured.
    measuring: Vec<Genotype>,
    /// How many random ones are still to be measured.
    to_sample: usize,
    /// How many observations there were when neighbours were last measured.
    measured_at: usize,
    /// What was trained, or may not be.
    proposed: HashSet<Genotype>,
    n_trained: usize,
    running: Vec<Genotype>,
    observed: Observed,
    /// What it answered with last.
    answered: Option<Genotype>,
    final_look: FinalLook,
}

impl Component for Portfolio {
    const NAME: &'static str = "portfolio";
    const SUMMARY: &'static str = "learns what good networks have in common, and tries the most \
                                   promising";
    type Config = PortfolioConfig;
    type Context = StrategyContext;

    fn create(mut config: PortfolioConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let mut rng = generator(context.seed);
        // At the share 0 nobody knows what it takes, and the quotient is infinite.
        let affordable = |trainings: f64| (trainings / context.untrained_share) as usize;
        config.sample = config.sample.min(affordable(SAMPLE_TRAININGS));
        config.neighbours = config.neighbours.min(affordable(NEIGHBOURS_TRAININGS));
        let proxies = if config.sample > 0 { context.proxies.clone() } else { Vec::new() };
        Ok(Self {
            model: Model::new(&config, &context.space, proxies.len(), &mut rng),
            to_sample: if proxies.is_empty() { 0 } else { config.sample },
            pool: Pool::new(proxies),
            rng,
            to_measure: VecDeque::new(),
            measuring: Vec::new(),
            measured_at: 0,
            proposed: HashSet::new(),
            n_trained: 0,
            running: Vec::new(),
            observed: Observed::new(config.max_observations),
            answered: None,
            final_look: FinalLook::new(&config),
            config,
            context,
        })
    }
}

impl SearchStrategy for Portfolio {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals: Vec<Proposal> = Vec::with_capacity(slots);
        while proposals.len() < slots
            && let Some(proposal) = self.next()?
        {
            proposals.push(proposal);
        }
        if !proposals.is_empty() {
            return Ok(Ask::Proposals(proposals));
        }
        let waits =
            !self.running.is_empty() || !self.measuring.is_empty() || self.final_look.waits();
        let n = self.n_trained;
        Ok(match (waits, self.final_look.is_due(self.observed.len())) {
            (true, _) => Ask::Wait,
            (false, true) => {
                Ask::Done { reason: format!("the last look was taken after {n} trainings") }
            }
            (false, false) => {
                Ask::Done { reason: format!("the space is used up after {n} genotypes") }
            }
        })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            let Proposal { genotype, details } = &trial.proposal;
            let gain = self.context.gain(trial);
            if trial.proposal.is_untrained() {
                self.take_untrained(trial);
            } else if !details.answer && !self.final_look.take(trial, gain) {
                self.running.retain(|running| running != genotype);
                if self.context.space.check(genotype).is_ok() {
                    // It may be told of networks that something else proposed.
                    self.proposed.insert(self.context.space.normalize(genotype));
                    self.observed.add(genotype, gain);
                }
            }
        }
        Ok(())
    }
}

impl Portfolio {
    /// What to propose next; nothing where results are missing, or nothing is left.
    fn next(&mut self) -> Result<Option<Proposal>, PluginError> {
        if let Some(genotype) = self.next_untrained()? {
            self.measuring.push(genotype.clone());
            return Ok(Some(Proposal::from(genotype).at(Fidelity::UNTRAINED)));
        }
        self.pool.score();
        let starts = match self.pool.n_proxies() {
            0 => self.config.random_starts,
            _ => self.config.starts,
        };
        let is_start = self.observed.len().max(self.n_trained) < starts;
        if is_start && !self.measuring.is_empty() {
            return Ok(None);
        }
        let thought = match is_start {
            true => None,
            false => self.model.think(&self.observed, &self.pool),
        };
        let Some(thought) = thought else { return self.train_most_promised() };
        if self.final_look.is_due(self.observed.len()) {
            return Ok(self.final_look.next(&thought.order));
        }
        let smooth = thought.order.first();
        let best = if self.config.smooth { smooth } else { self.observed.best() };
        if self.answered.as_ref() != best {
            self.answered = best.cloned();
            return Ok(best.map(|best| Proposal::from(best.clone()).as_answer()));
        }
        let centres = &thought.order[..thought.order.len().min(self.config.centres)];
        if self.measure_around(centres) {
            return self.next();
        }
        let candidates = self.candidates(centres)?;
        let (pool, running) = (&self.pool, &self.running);
        match self.model.most_promising(&thought, pool, running, candidates) {
            Some(genotype) => Ok(Some(self.train(genotype))),
            None => self.train_most_promised(),
        }
    }

    fn train(&mut self, genotype: Genotype) -> Proposal {
        self.proposed.insert(genotype.clone());
        self.n_trained += 1;
        self.running.push(genotype.clone());
        genotype.into()
    }

    /// What the proxies alone say is best, or where they say nothing a random genotype.
    fn train_most_promised(&mut self) -> Result<Option<Proposal>, PluginError> {
        let promised = self.most_promised(1).pop();
        let genotype = match promised {
            Some(genotype) => Some(genotype),
            None => self.random(|known, genotype| !known.proposed.contains(genotype))?,
        };
        Ok(genotype.map(|genotype| self.train(genotype)))
    }

    /// The next untrained network to measure.
    fn next_untrained(&mut self) -> Result<Option<Genotype>, PluginError> {
        if let Some(genotype) = self.to_measure.pop_front() {
            return Ok(Some(genotype));
        }
        if self.to_sample == 0 {
            return Ok(None);
        }
        let drawn = self.random(|known, genotype| !known.is_measured(genotype))?;
        self.to_sample = if drawn.is_some() { self.to_sample - 1 } else { 0 };
        Ok(drawn)
    }

    /// Notes proxies, or that a network has none. One that is refused untrained would be refused to be
    /// trained as well.
    fn take_untrained(&mut self, trial: &Trial) {
        let genotype = &trial.proposal.genotype;
        self.measuring.retain(|measuring| measuring != genotype);
        if matches!(trial.outcome, Outcome::Refused | Outcome::Invalid) {
            self.proposed.insert(genotype.clone());
        }
        self.pool.add(genotype, &trial.measurements);
    }

    /// Has untrained neighbours of these measured, once after each result.
    fn measure_around(&mut self, centres: &[Genotype]) -> bool {
        let is_done =
            std::mem::replace(&mut self.measured_at, self.observed.len()) == self.observed.len();
        if self.pool.n_proxies() == 0 || is_done {
            return false;
        }
        let mut unknown = self.around(centres);
        unknown.retain(|genotype| !self.is_measured(genotype));
        unknown.shuffle(&mut self.rng);
        unknown.truncate(self.config.neighbours);
        self.to_measure = unknown.into();
        !self.to_measure.is_empty()
    }

    fn is_measured(&self, genotype: &Genotype) -> bool {
        self.pool.contains(genotype) || self.measuring.contains(genotype)
    }

    /// What may be trained next: neighbours of these genotypes and others. Where there are proxies,
    /// only what was measured.
    fn candidates(&mut self, centres: &[Genotype]) -> Result<Vec<Genotype>, PluginError> {
        let mut candidates = self.around(centres);
        let n_others = self.config.others;
        let mut others = match self.pool.n_proxies() {
            0 => (0..n_others)
                .map(|_| self.random_normalised())
                .collect::<Result<Vec<_>, PluginError>>()?,
            _ => {
                candidates.retain(|genotype| self.pool.contains(genotype));
                let mut measured = self.most_promised(usize::MAX);
                let promised = measured.drain(..measured.len().min(n_others / 2));
                let promised: Vec<Genotype> = promised.collect();
                measured.shuffle(&mut self.rng);
                measured.truncate(n_others - n_others / 2);
                [promised, measured].concat()
            }
        };
        candidates.append(&mut others);
        let mut met = HashSet::new();
        candidates
            .retain(|genotype| !self.proposed.contains(genotype) && met.insert(genotype.clone()));
        Ok(candidates)
    }

    /// Neighbours of these genotypes that were not proposed yet, all different.
    fn around(&self, centres: &[Genotype]) -> Vec<Genotype> {
        let mut met = HashSet::new();
        let all = centres.iter().flat_map(|centre| neighbours(&self.context.space, centre));
        all.filter(|one| !self.proposed.contains(one) && met.insert(one.clone())).collect()
    }

    /// Measured networks that were not proposed yet, those of which the proxies promise most first.
    fn most_promised(&self, most: usize) -> Vec<Genotype> {
        let free = self.pool.genotypes().iter().filter(|one| !self.proposed.contains(*one));
        let mut promises: Vec<(f64, &Genotype)> =
            free.map(|genotype| (self.pool.promise(genotype), genotype)).collect();
        promises.sort_by(|a, b| b.0.total_cmp(&a.0));
        promises.into_iter().take(most).map(|(_, genotype)| genotype.clone()).collect()
    }

    /// A random genotype that is new.
    fn random(
        &mut self,
        is_new: impl Fn(&Self, &Genotype) -> bool,
    ) -> Result<Option<Genotype>, PluginError> {
        for _ in 0..TRIES {
            let genotype = self.random_normalised()?;
            if is_new(self, &genotype) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    fn random_normalised(&mut self) -> Result<Genotype, PluginError> {
        let genotype = random_genotype(&self.context.space, &mut self.rng)?;
        Ok(self.context.space.normalize(&genotype))
    }
}
