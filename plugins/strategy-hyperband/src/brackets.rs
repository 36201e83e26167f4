//! `hyperband` and `bohb`: bracket after bracket, beginning at every level in turn.

use std::collections::BTreeMap;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::bracket::{Bracket, Next};
use crate::levels::levels;
use crate::rung::{Entry, first_at};
use crate::sampler::{Model, Sampler};

nas_plugin_api::configuration! {
    /// Settings of Hyperband.
    pub struct HyperbandConfig {
        /// Fewest epochs of a trial; the most are `training.epochs`.
        #[schemars(range(min = 1))]
        pub min_epochs: u32 = 1_u32,
        /// One in so many goes on, with so many times as many epochs.
        #[schemars(range(min = 2, max = 100))]
        pub factor: u32 = 3_u32,
        /// Levels at which brackets begin in turn, from the fewest epochs on; 0 for all, as
        /// published.
        #[schemars(range(min = 0, max = 100))]
        pub bracket_kinds: usize = 0_usize,
    }
}

nas_plugin_api::configuration! {
    /// Settings of BOHB.
    pub struct BohbConfig {
        /// Fewest epochs of a trial; the most are `training.epochs`.
        #[schemars(range(min = 1))]
        pub min_epochs: u32 = 1_u32,
        /// One in so many goes on, with so many times as many epochs.
        #[schemars(range(min = 2, max = 100))]
        pub factor: u32 = 3_u32,
        /// Levels at which brackets begin in turn, from the fewest epochs on; 0 for all, as
        /// published.
        #[schemars(range(min = 0, max = 100))]
        pub bracket_kinds: usize = 0_usize,
        /// Share of genotypes that are drawn at random whatever the model says.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub random_share: f64 = 1.0 / 3.0,
        /// Genotypes drawn from the model, of which the likeliest is proposed.
        #[schemars(range(min = 1, max = 10_000))]
        pub candidates: usize = 64_usize,
        /// Share of the results at one fidelity that count as good.
        #[schemars(range(min = 0.01, max = 0.9))]
        pub good_share: f64 = 0.15,
        /// Fewest results that count as good; the model begins with two more at one fidelity. 0 is one
        /// more than the space has choices, as published.
        #[schemars(range(min = 0, max = 10_000))]
        pub min_points: usize = 0_usize,
    }
}

/// Brackets of successive halving with random genotypes.
///
/// # Source
/// Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar. Hyperband: a novel bandit-based approach to
/// hyperparameter optimization. JMLR 18, 2018, algorithm 1.
/// Differs: while a bracket waits for its last trials, the next one begins.
pub struct Hyperband(Brackets);

/// Hyperband whose genotypes a model of what was good draws.
///
/// # Source
/// Falkner, Klein, Hutter. BOHB. ICML 2018; constants from `automl/HpBandSter`,
/// optimizers/bohb.py.
pub struct Bohb(Brackets);

impl Component for Hyperband {
    const NAME: &'static str = "hyperband";
    const SUMMARY: &'static str = "weeds out genotypes after a few epochs, sooner or later";
    type Config = HyperbandConfig;
    type Context = StrategyContext;

    fn create(config: HyperbandConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let HyperbandConfig { min_epochs, factor, bracket_kinds } = config;
        Ok(Self(Brackets::new((min_epochs, factor, bracket_kinds), None, context)?))
    }
}

impl Component for Bohb {
    const NAME: &'static str = "bohb";
    const SUMMARY: &'static str = "Hyperband whose genotypes come from a model of the good ones";
    type Config = BohbConfig;
    type Context = StrategyContext;

    fn create(config: BohbConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let BohbConfig { min_epochs, factor, bracket_kinds, .. } = config;
        let BohbConfig { random_share, candidates, good_share, min_points, .. } = config;
        let min_points = match min_points {
            0 => context.space.n_choices() + 1,
            given => given,
        };
        let observed = BTreeMap::new();
        let model = Model { random_share, candidates, good_share, min_points, observed };
        Ok(Self(Brackets::new((min_epochs, factor, bracket_kinds), Some(model), context)?))
    }
}

impl SearchStrategy for Hyperband {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.0.ask(slots)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.0.tell(trials)
    }
}

impl SearchStrategy for Bohb {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.0.ask(slots)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.0.tell(trials)
    }
}

/// Brackets without end.
struct Brackets {
    context: StrategyContext,
    sampler: Sampler,
    factor: u32,
    /// Epochs, rising.
    levels: Vec<u32>,
    /// The first so many of them are begun at.
    n_beginnings: usize,
    /// Brackets begun so far.
    n_begun: usize,
    /// Those that are not over, the oldest first.
    open: Vec<Bracket>,
}

impl Brackets {
    fn new(
        (min_epochs, factor, bracket_kinds): (u32, u32, usize),
        model: Option<Model>,
        context: StrategyContext,
    ) -> Result<Self, PluginError> {
        let levels = levels(min_epochs, context.fidelity.epochs, factor)?;
        let n_beginnings =
            if bracket_kinds == 0 { levels.len() } else { bracket_kinds.min(levels.len()) };
        let sampler = Sampler::new(&context, model);
        Ok(Self { context, sampler, factor, levels, n_beginnings, n_begun: 0, open: Vec::new() })
    }

    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals = Vec::with_capacity(slots);
        while proposals.len() < slots
            && let Some(proposal) = self.next_proposal()?
        {
            proposals.push(proposal);
        }
        let n = self.sampler.n_drawn();
        Ok(match (proposals.is_empty(), self.open.is_empty()) {
            (false, _) => Ask::Proposals(proposals),
            (true, true) => {
                Ask::Done { reason: format!("the space is used up after {n} genotypes") }
            }
            (true, false) => Ask::Wait,
        })
    }

    /// From the oldest bracket that has something to do, else from the next one; nothing where the
    /// space is used up.
    fn next_proposal(&mut self) -> Result<Option<Proposal>, PluginError> {
        let data_fraction = self.context.fidelity.data_fraction;
        let at = |epochs: u32| Fidelity { epochs, data_fraction };
        let mut place = 0;
        let mut is_used_up = false;
        while place < self.open.len() || !is_used_up {
            if place == self.open.len() {
                self.begin_bracket();
            }
            let proposal = match self.open[place].next() {
                Next::Promotion(entry, epochs) => entry.promoted_to(at(epochs)),
                Next::Draw(epochs) => match self.sampler.draw()? {
                    Some(genotype) => first_at(genotype, at(epochs)),
                    None => {
                        is_used_up = true;
                        continue;
                    }
                },
                Next::Wait => {
                    place += 1;
                    continue;
                }
                Next::Over => {
                    self.open.remove(place);
                    continue;
                }
            };
            self.open[place].begin(&proposal);
            return Ok(Some(proposal));
        }
        Ok(None)
    }

    /// The one with the most levels first, then one fewer each time, and from the start again.
    fn begin_bracket(&mut self) {
        let lowest = self.n_begun % self.n_beginnings;
        self.n_begun += 1;
        self.open.push(Bracket::new(&self.levels[lowest..], self.levels.len(), self.factor));
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            let entry = Entry::new(&self.context, trial);
            if let Some(fidelity) = trial.proposal.details.fidelity
                && self.context.space.check(&entry.genotype).is_ok()
            {
                self.sampler.observe(fidelity.epochs, &entry.genotype, entry.gain);
            }
            let _ = self.open.iter_mut().any(|bracket| bracket.take(trial, &entry));
        }
        Ok(())
    }
}
