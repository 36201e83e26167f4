//! Stem, cells, head.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::Conv2d;
use nas_plugin_api::template::{Scale, Template, TemplateBuilder};

configuration! {
    /// Settings of the space `chain`.
    pub struct ChainConfig {
        /// Names of the candidate operations; empty means all of the set.
        pub operations: Vec<String> =
            ["conv_3x3", "conv_5x5", "max_pool_3x3", "identity"].map(str::to_owned),
        /// Cells that are chosen, each for itself.
        #[schemars(range(min = 1, max = 1000))]
        pub cells: usize = 8_usize,
        /// Operations in a cell, one after another.
        #[schemars(range(min = 1, max = 100))]
        pub operations_per_cell: usize = 4_usize,
        /// Channels, where the scale says nothing.
        #[schemars(range(min = 1))]
        pub channels: usize = 16_usize,
    }
}

/// A chain: a 3×3 convolution, cells of sequential operations, global mean, linear.
///
/// Channels and resolution stay the same from stem to head, so every operation that keeps its
/// input's shape is a candidate. Every operation is chosen for itself (32 choices by default).
///
/// At a scale of more cells than are chosen, each chosen cell stands several times in a row, so
/// that a genotype serves at every scale.
#[derive(Debug)]
pub struct ChainSpace {
    config: ChainConfig,
}

impl Component for ChainSpace {
    const NAME: &'static str = "chain";
    const SUMMARY: &'static str =
        "a chain of cells of sequential operations, each chosen for itself";
    type Config = ChainConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self { config })
    }
}

impl SearchSpace for ChainSpace {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        let candidates = OperationInfo::select(operations, &self.config.operations)?;
        let chosen = self.config.cells;
        let cells = scale.cells.unwrap_or(chosen);
        if cells < chosen {
            return Err(PluginError::configuration(format!(
                "make a chain of {cells} cells: {chosen} are chosen, each for itself"
            ))
            .with_help("set the space's own `cells` to search smaller chains"));
        }
        let mut network = TemplateBuilder::new(Self::NAME);
        let image = network.input(scale.input.clone());
        network.begin("stem");
        let channels = scale.channels.unwrap_or(self.config.channels);
        let mut x = network.layer(Conv2d::new(channels, 3).padding(1).bias(true), image);
        for cell in 0..cells {
            network.begin(&format!("cell_{cell}"));
            let choice = cell * chosen / cells;
            for operation in 0..self.config.operations_per_cell {
                let id = format!("cell_{choice}/operation_{operation}");
                x = network.operation(&id, &candidates, x);
            }
        }
        network.begin("head");
        let features = network.global_avg_pool(x);
        let logits = network.linear(scale.classes, features);
        Ok(network.finish(logits)?)
    }
}
