//! Stem, cells, head.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Conv2d, NodeIndex};
use nas_plugin_api::template::{Scale, Template, TemplateBuilder};

use crate::auxiliary_head::auxiliary_head;
use crate::cell::{Cell, CellKind};

/// Channels of the stem, as a multiple of the first cell's.
const STEM_MULTIPLIER: usize = 3;
/// Fewest cells: two reductions and a normal cell.
const FEWEST_CELLS: usize = 3;

configuration! {
    /// Settings of the space `darts`.
    pub struct DartsConfig {
        /// Names of the candidate operations; empty means all of the set.
        pub operations: Vec<String> = [],
        /// Whether genotypes may hold the operation `none`; the supernet always may.
        pub allow_none: bool = false,
        /// Nodes of a cell, besides its two inputs.
        #[schemars(range(min = 1, max = 16))]
        pub nodes: usize = 4_usize,
        /// Fewest incoming edges that a node keeps.
        pub min_edges: usize = 2_usize,
        /// Most incoming edges that a node keeps.
        #[schemars(range(min = 1))]
        pub max_edges: usize = 2_usize,
        /// Fewest operations that a kept edge holds.
        pub min_operations: usize = 1_usize,
        /// Most operations that a kept edge holds.
        #[schemars(range(min = 1))]
        pub max_operations: usize = 1_usize,
        /// Channels of the first cell, where the scale says nothing; the stem has three times as
        /// many.
        #[schemars(range(min = 1))]
        pub channels: usize = 16_usize,
        /// Cells, where the scale says nothing.
        #[schemars(range(min = 3, max = 1000))]
        pub cells: usize = 8_usize,
    }
}

/// The space of DARTS: all normal cells are alike, and so are the two reduction cells at one and
/// two thirds of the depth.
///
/// Per cell kind, a genotype says for every edge its operation and for every node which two of
/// its edges are kept. Operations of edges that are not kept do not matter.
///
/// # Source
/// Liu, Simonyan, Yang. DARTS, ICLR 2019, section 3.1 and appendix A; `quark0/darts@f276dd3`:
/// cnn/model_search.py, cnn/model.py (`NetworkCIFAR`).
#[derive(Debug)]
pub struct DartsSpace {
    config: DartsConfig,
}

impl Component for DartsSpace {
    const NAME: &'static str = "darts";
    const SUMMARY: &'static str =
        "the normal and the reduction cell of DARTS: 14 edges, two kept per node";
    type Config = DartsConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self { config })
    }
}

impl SearchSpace for DartsSpace {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        let candidates = OperationInfo::select(operations, &self.config.operations)?;
        let cells = scale.cells.unwrap_or(self.config.cells);
        if cells < FEWEST_CELLS {
            return Err(PluginError::configuration(format!(
                "make a DARTS network of {cells} cells: it has two reduction cells and at least \
                 one normal cell"
            )));
        }
        let mut network = TemplateBuilder::new(Self::NAME);
        let normal = Cell::new(CellKind::Normal, &self.config, &candidates, &mut network);
        let reduction = Cell::new(CellKind::Reduction, &self.config, &candidates, &mut network);

        let image = network.input(scale.input.clone());
        let mut channels = scale.channels.unwrap_or(self.config.channels);
        network.begin("stem");
        let x = network.layer(Conv2d::new(STEM_MULTIPLIER * channels, 3).padding(1), image);
        let stem = network.batch_norm(x);

        let reductions = [cells / 3, 2 * cells / 3];
        let (mut before, mut last) = (stem, stem);
        let mut auxiliary: Option<NodeIndex> = None;
        for index in 0..cells {
            network.begin(&format!("cell_{index}"));
            let is_reduction = reductions.contains(&index);
            channels = if is_reduction { 2 * channels } else { channels };
            let cell = if is_reduction { &reduction } else { &normal };
            let output = cell.build([before, last], channels, scale.role, &mut network);
            (before, last) = (last, output);
            if scale.auxiliary_head && index == reductions[1] {
                network.begin("auxiliary_head");
                auxiliary = auxiliary_head(scale.classes, output, &mut network);
            }
        }
        network.begin("head");
        let features = network.global_avg_pool(last);
        let logits = network.linear(scale.classes, features);
        Ok(network.finish_with([logits].into_iter().chain(auxiliary).collect())?)
    }
}
