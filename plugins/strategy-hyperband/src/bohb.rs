//! `bohb`: a model of what was good draws the genotypes.

use std::collections::BTreeMap;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Trial;

use crate::brackets::Brackets;
use crate::ladder::Ladder;
use crate::sampler::Model;

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
        /// Probability that a kernel of the model draws any option for a choice instead of its own; 0
        /// lets a rule of thumb decide that takes options for numbers, as published.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub spread: f64 = 0.0,
        /// Promotes as `asha` does, as soon as a trial is among the best of its rung, instead of
        /// bracket by bracket; all begin with the fewest epochs.
        pub asynchronous: bool = false,
    }
}

/// Hyperband whose genotypes a model of what was good draws.
///
/// # Source
/// Falkner, Klein, Hutter. BOHB. ICML 2018; constants from `automl/HpBandSter`,
/// optimizers/bohb.py. Asynchronous promotion with the same model is the A-BOHB of Klein, Tiao,
/// Lienart, Archambeau, Seeger. Model-based asynchronous hyperparameter and neural architecture
/// search. 2020.
pub struct Bohb(Box<dyn SearchStrategy>);

impl Component for Bohb {
    const NAME: &'static str = "bohb";
    const SUMMARY: &'static str = "Hyperband whose genotypes come from a model of the good ones";
    type Config = BohbConfig;
    type Context = StrategyContext;

    fn create(config: BohbConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let BohbConfig { min_epochs, factor, bracket_kinds, asynchronous, .. } = config;
        if asynchronous && bracket_kinds > 1 {
            let text = format!("begin brackets at {bracket_kinds} levels without brackets");
            let help = "leave out `strategy.bracket_kinds` or `strategy.asynchronous`";
            return Err(PluginError::configuration(text).with_help(help));
        }
        let model = model(&config, context.space.n_choices());
        Ok(Self(match asynchronous {
            true => Box::new(Ladder::new((min_epochs, factor), 0.0, Some(model), context)?),
            false => {
                let beginnings = (min_epochs, factor, bracket_kinds);
                Box::new(Brackets::new(beginnings, Some(model), context)?)
            }
        }))
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

fn model(config: &BohbConfig, n_choices: usize) -> Model {
    let BohbConfig { random_share, candidates, good_share, min_points, spread, .. } = *config;
    Model {
        random_share,
        candidates,
        good_share,
        min_points: if min_points == 0 { n_choices + 1 } else { min_points },
        spread: (spread > 0.0).then_some(spread),
        observed: BTreeMap::new(),
    }
}
