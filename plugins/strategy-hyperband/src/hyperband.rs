//! `hyperband`: bracket after bracket, beginning at every level in turn.

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Trial;

use crate::brackets::Brackets;

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

/// Brackets of successive halving with random genotypes.
///
/// # Source
/// Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar. Hyperband: a novel bandit-based approach to
/// hyperparameter optimization. JMLR 18, 2018, algorithm 1.
/// Differs: while a bracket waits for its last trials, the next one begins.
pub struct Hyperband(Brackets);

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

impl SearchStrategy for Hyperband {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.0.ask(slots)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.0.tell(trials)
    }
}
