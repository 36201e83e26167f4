//! Random search, under the name `random`: the baseline of every comparison, and the smallest
//! strategy there is.
//!
//! # Source
//! Li, Talwalkar. Random search and reproducibility for neural architecture search. UAI 2019.

use std::collections::HashSet;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator};
use nas_plugin_api::trial::Trial;

nas_plugin_api::export_plugin! { strategies: [RandomSearch] }

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;

nas_plugin_api::configuration! {
    /// Settings of random search.
    pub struct RandomConfig {
        /// Whether a genotype may be proposed again.
        pub duplicates: Duplicates = Duplicates::Avoided,
    }
}

nas_plugin_api::configuration! {
    /// What happens to a genotype that was proposed before.
    pub enum Duplicates {
        /// It is drawn again; the search ends when the space is used up.
        Avoided,
        /// It is proposed again, and the search never ends by itself.
        Allowed,
    }
}

/// Proposes genotypes whose choices are drawn uniformly.
pub struct RandomSearch {
    config: RandomConfig,
    space: Space,
    rng: Generator,
    proposed: HashSet<Genotype>,
}

impl Component for RandomSearch {
    const NAME: &'static str = "random";
    const SUMMARY: &'static str = "proposes random genotypes";
    type Config = RandomConfig;
    type Context = StrategyContext;

    fn create(config: RandomConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let rng = generator(context.seed);
        Ok(Self { config, space: context.space, rng, proposed: HashSet::new() })
    }
}

impl SearchStrategy for RandomSearch {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals = Vec::with_capacity(slots);
        for _ in 0..TRIES + slots {
            let genotype = random_genotype(&self.space, &mut self.rng)?;
            let allowed = self.config.duplicates == Duplicates::Allowed;
            if allowed || self.proposed.insert(self.space.normalize(&genotype)) {
                proposals.push(genotype.into());
            }
            if proposals.len() == slots {
                break;
            }
        }
        let reason = format!("the space is used up after {} genotypes", self.proposed.len());
        Ok(if proposals.is_empty() { Ask::Done { reason } } else { Ask::Proposals(proposals) })
    }

    fn tell(&mut self, _: &[Trial]) -> Result<(), PluginError> {
        Ok(())
    }
}
