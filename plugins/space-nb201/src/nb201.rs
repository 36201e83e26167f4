//! Stem, three stages of cells, head.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Conv2d, NodeIndex};
use nas_plugin_api::template::{Scale, Template, TemplateBuilder};

use crate::residual_block::residual_block;

/// Nodes of a cell, the input included.
const NODES: usize = 4;
/// Stages of cells; channels double and the resolution halves between them.
const STAGES: usize = 3;

configuration! {
    /// Settings of the space `nb201`.
    pub struct Nb201Config {
        /// Names of the candidate operations; empty means all of the set.
        pub operations: Vec<String> = [],
        /// Channels of the first stage, where the scale says nothing.
        #[schemars(range(min = 1))]
        pub channels: usize = 16_usize,
        /// Cells a stage, where the scale says nothing.
        #[schemars(range(min = 1, max = 1000))]
        pub cells: usize = 5_usize,
    }
}

/// The space of NAS-Bench-201 (the topology space of NATS-Bench): one cell of four nodes, whose
/// six edges each carry one operation. With the operations `nb201` a genotype's values are the
/// digits of the table's `ops` column.
///
/// # Source
/// Dong, Yang. NAS-Bench-201, ICLR 2020, section 2.1; `D-X-Y/AutoDL-Projects@f46486e`:
/// xautodl/models/cell_infers/{tiny_network,cells}.py.
#[derive(Debug)]
pub struct Nb201Space {
    config: Nb201Config,
}

impl Component for Nb201Space {
    const NAME: &'static str = "nb201";
    const SUMMARY: &'static str = "the cells of NAS-Bench-201: six edges, one operation each";
    type Config = Nb201Config;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self { config })
    }
}

impl SearchSpace for Nb201Space {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        let candidates = OperationInfo::select(operations, &self.config.operations)?;
        let channels = scale.channels.unwrap_or(self.config.channels);
        let cells = scale.cells.unwrap_or(self.config.cells);
        if cells == 0 {
            return Err(PluginError::configuration("make a network without cells"));
        }
        let mut network = TemplateBuilder::new(Self::NAME);
        let image = network.input(scale.input.clone());
        network.begin("stem");
        let x = network.layer(Conv2d::new(channels, 3).padding(1), image);
        let mut x = network.batch_norm(x);
        for stage in 0..STAGES {
            if stage > 0 {
                network.begin(&format!("reduction_{stage}"));
                x = residual_block(channels << stage, x, &mut network);
            }
            for cell_index in 0..cells {
                network.begin(&format!("stage_{stage}/cell_{cell_index}"));
                x = cell(&candidates, x, &mut network);
            }
        }
        network.begin("head");
        let x = network.batch_norm(x);
        let x = network.relu(x);
        let features = network.global_avg_pool(x);
        let logits = network.linear(scale.classes, features);
        Ok(network.finish(logits)?)
    }
}

/// One cell: every node is the sum of an operation on each earlier node; the last one is returned.
fn cell(candidates: &[&str], x: NodeIndex, network: &mut TemplateBuilder) -> NodeIndex {
    let mut nodes = vec![x];
    while nodes.len() < NODES {
        let to = nodes.len();
        let edges: Vec<NodeIndex> = nodes
            .iter()
            .enumerate()
            .map(|(from, &node)| network.operation(&format!("edge_{from}_{to}"), candidates, node))
            .collect();
        nodes.push(network.add(&edges));
    }
    nodes[NODES - 1]
}
