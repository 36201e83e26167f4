//! A fixed list of genotypes, under the name `list`: what somebody published, or found before.

use std::collections::VecDeque;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Proposal, Trial};

nas_plugin_api::export_plugin! { strategies: [GenotypeList] }

nas_plugin_api::configuration! {
    /// Settings of a list.
    pub struct ListConfig {
        /// The genotypes in their text form, as `nas show` prints them.
        pub genotypes: Vec<String> = [],
    }
}

/// Proposes the genotypes of a list, in its order.
pub struct GenotypeList {
    left: VecDeque<Genotype>,
    length: usize,
}

impl Component for GenotypeList {
    const NAME: &'static str = "list";
    const SUMMARY: &'static str = "proposes the genotypes of a list";
    type Config = ListConfig;
    type Context = StrategyContext;

    fn create(config: ListConfig, context: StrategyContext) -> Result<Self, PluginError> {
        if config.genotypes.is_empty() {
            return Err(PluginError::configuration(
                "train the genotypes of an empty list; give some as `genotypes`",
            ));
        }
        let parse = |(index, text): (usize, &String)| {
            let wrong =
                |error| PluginError::configuration(format!("read `genotypes[{index}]`: {error}"));
            context.space.parse(text).map_err(wrong)
        };
        let left: VecDeque<Genotype> =
            config.genotypes.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { length: left.len(), left })
    }
}

impl SearchStrategy for GenotypeList {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let n = slots.min(self.left.len());
        let proposals: Vec<Proposal> = self.left.drain(..n).map(Proposal::from).collect();
        let reason = format!("the list of {} genotypes is used up", self.length);
        Ok(if proposals.is_empty() { Ask::Done { reason } } else { Ask::Proposals(proposals) })
    }

    fn tell(&mut self, _: &[Trial]) -> Result<(), PluginError> {
        Ok(())
    }
}
