//! The cell.

use nas_plugin_api::graph::{Concat, NodeIndex};
use nas_plugin_api::template::{ChoiceIndex, Options, Role, TemplateBuilder};

use crate::darts::DartsConfig;
use crate::preprocess::preprocess;

/// The operation that means no connection.
const NONE: &str = "none";
/// Inputs of a cell: the outputs of the two cells before it.
const INPUTS: usize = 2;

/// Which of the two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// Keeps the resolution.
    Normal,
    /// Halves it.
    Reduction,
}

/// The choices of one kind of cell, which all cells of the kind share.
pub(crate) struct Cell {
    stride: usize,
    nodes: Vec<NodeChoices>,
}

/// How one node is made.
struct NodeChoices {
    /// The operation on each incoming edge, in the order of the states that they come from.
    edges: Vec<ChoiceIndex>,
    /// Id of the choice among them.
    kept: String,
    min: usize,
    max: usize,
}

impl Cell {
    /// Makes the choices: node by node its edges' operations, then which edges it keeps.
    pub(crate) fn new(
        kind: CellKind,
        config: &DartsConfig,
        candidates: &[&str],
        network: &mut TemplateBuilder,
    ) -> Self {
        let (name, stride) = match kind {
            CellKind::Normal => ("normal", 1),
            CellKind::Reduction => ("reduction", 2),
        };
        let is_search_only = |&position: &usize| candidates[position] == NONE && !config.allow_none;
        let operation = Options::Operation {
            candidates: candidates.iter().map(|&candidate| candidate.to_owned()).collect(),
            search_only: (0..candidates.len()).filter(is_search_only).collect(),
            min: config.min_operations,
            max: config.max_operations,
        };
        let mut choose_node = |node: usize| {
            let edges = (0..node)
                .map(|from| format!("{name}/edge_{from}_{node}"))
                .map(|id| network.choice(&id, operation.clone()))
                .collect();
            let kept = format!("{name}/node_{node}");
            let (min, max) = (config.min_edges, config.max_edges);
            network.choice(&kept, Options::Inputs { n: node, min, max });
            NodeChoices { edges, kept, min, max }
        };
        Self { stride, nodes: (INPUTS..INPUTS + config.nodes).map(&mut choose_node).collect() }
    }

    /// Adds one cell that reads the outputs of the two cells before it, older one first.
    ///
    /// # Shapes
    /// `[nodes · channels, h, w]`; half the resolution of the newer input in a reduction cell.
    pub(crate) fn build(
        &self,
        inputs: [NodeIndex; INPUTS],
        channels: usize,
        role: Role,
        network: &mut TemplateBuilder,
    ) -> NodeIndex {
        let resolution = network.shape(inputs[1]).spatial().to_vec();
        let mut states: Vec<NodeIndex> = inputs
            .iter()
            .map(|&input| preprocess(channels, &resolution, role, input, network))
            .collect();
        for node in &self.nodes {
            let edges: Vec<NodeIndex> = (0..states.len())
                .map(|from| {
                    let stride = if from < INPUTS { self.stride } else { 1 };
                    let mut output = network.shape(states[from]).clone();
                    output.0[1..].iter_mut().for_each(|extent| *extent = extent.div_ceil(stride));
                    network.operation_of(node.edges[from], states[from], output, stride)
                })
                .collect();
            states.push(network.chosen_inputs(&node.kept, &edges, node.min, node.max));
        }
        // Whatever reads a cell has a weight for every channel: nodes may be renumbered.
        network.node(Concat { axis: 0, unordered: true }.into(), &states[INPUTS..])
    }
}
