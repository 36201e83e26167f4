//! A fixed list of genotypes, under the name `list`: what somebody published, or found before.

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::genotype_list::GenotypeList;
use nas_plugin_api::trial::Trial;

nas_plugin_api::export_plugin! { strategies: [List] }

nas_plugin_api::configuration! {
    /// Settings of a list.
    pub struct ListConfig {
        /// The genotypes in their text form, as `nas show` prints them.
        pub genotypes: Vec<String> = [],
    }
}

/// Proposes the genotypes of a list, in its order.
pub struct List(GenotypeList);

impl Component for List {
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
        let genotypes: Vec<Genotype> =
            config.genotypes.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        let reason = format!("the list of {} genotypes is used up", genotypes.len());
        Ok(Self(GenotypeList::new(genotypes, reason)))
    }
}

impl SearchStrategy for List {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.0.ask(slots)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.0.tell(trials)
    }
}
