//! `asha`: successive halving that never waits.

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Trial;

use crate::ladder::Ladder;

nas_plugin_api::configuration! {
    /// Settings of asynchronous successive halving.
    pub struct AshaConfig {
        /// Fewest epochs of a trial; the most are `training.epochs`.
        #[schemars(range(min = 1))]
        pub min_epochs: u32 = 1_u32,
        /// One in so many goes on, with so many times as many epochs.
        #[schemars(range(min = 2, max = 100))]
        pub factor: u32 = 3_u32,
        /// Share of new genotypes that are mutants of one that is good enough to go on; the others are
        /// random, as published.
        #[schemars(range(min = 0, max = 1))]
        pub mutation_share: f64 = 0.0,
    }
}

/// Promotes whatever is among the best of its rung; else begins another genotype.
///
/// # Source
/// Li, Jamieson, Rostamizadeh, Gonina, Ben-Tzur, Hardt, Recht, Talwalkar. A system for massively
/// parallel hyperparameter tuning. MLSys 2020, algorithm 2. There all genotypes are random. Mutants
/// are of our own; that successive halving should breed, and from the highest rung that knows
/// enough, is from Awad, Mallik, Hutter. DEHB, IJCAI 2021, section 4, where rungs are populations of
/// differential evolution.
pub struct Asha(Ladder);

impl Component for Asha {
    const NAME: &'static str = "asha";
    const SUMMARY: &'static str = "trains the best third further, as soon as there is one";
    type Config = AshaConfig;
    type Context = StrategyContext;

    fn create(config: AshaConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let AshaConfig { min_epochs, factor, mutation_share } = config;
        Ok(Self(Ladder::new((min_epochs, factor), mutation_share, None, context)?))
    }
}

impl SearchStrategy for Asha {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.0.ask(slots)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.0.tell(trials)
    }
}
