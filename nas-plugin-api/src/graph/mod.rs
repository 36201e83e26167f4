//! The layer graph: a network as plain data.
//!
//! An operation declares itself as a layer graph, a search space is a layer graph with choices in
//! it ([`crate::template`]), and a concrete network is a layer graph and nothing else. The core
//! counts, checks, trains and exports from this data; no plugin code runs per layer or per batch.
//!
//! Shapes never include the batch dimension.

mod builder;
mod infer;
mod layer;
mod shape;

pub use builder::GraphBuilder;
pub use infer::infer_shape;
pub use layer::{
    Activation, Adaptive, Axis, BatchNorm, Concat, Conv1d, Conv2d, Embedding, GroupNorm, Groups,
    Layer, LayerNorm, Linear, MatMul, Pool1d, Pool2d, PoolKind, Slice, Statistics,
};
pub use shape::{MAX_ELEMENTS, Shape, ShapeError};

use serde::{Deserialize, Serialize};

/// Position of a node in [`Graph::nodes`].
pub type NodeIndex = usize;

/// A network without choices: nodes in an order in which every input comes before its reader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The layers, inputs first.
    pub nodes: Vec<Node>,
    /// What the network returns: its logits first, then the logits of auxiliary heads.
    pub outputs: Vec<NodeIndex>,
}

/// One layer and where its inputs come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Path-like name, unique in its graph (`cell3/edge_0_2/conv`); parameters are named after it.
    pub name: String,
    /// What is computed.
    pub layer: Layer,
    /// The nodes that are read, in the order the layer expects.
    #[serde(default)]
    pub inputs: Vec<NodeIndex>,
}

/// What is wrong with a graph, and at which node.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A layer can't take the shapes it was given.
    #[error("node `{node}`: {source}")]
    Shape {
        /// The node's name.
        node: String,
        /// What does not fit.
        source: ShapeError,
    },
    /// An input refers to itself, to a later node, or to none.
    #[error("node `{node}` reads node {input}, but only earlier nodes (below {index}) may be read")]
    InputOrder {
        /// The node's name.
        node: String,
        /// The node's position.
        index: NodeIndex,
        /// What it wants to read.
        input: NodeIndex,
    },
    /// Two nodes share one name.
    #[error("two nodes are named `{node}`; names must be unique, since parameters carry them")]
    DuplicateName {
        /// The name in question.
        node: String,
    },
    /// An output refers to no node.
    #[error("output {output} does not exist: the graph has {n_nodes} nodes")]
    Output {
        /// The missing position.
        output: NodeIndex,
        /// How many nodes there are.
        n_nodes: usize,
    },
    /// Nothing is returned.
    #[error("the graph has no output; mark one with `finish(node)`")]
    NoOutput,
}

impl Graph {
    /// The shape of every node, in node order; this is also the check that the graph is sound.
    ///
    /// # Errors
    /// The first node that can't be computed, with the reason.
    pub fn shapes(&self) -> Result<Vec<Shape>, GraphError> {
        let mut names = std::collections::HashSet::new();
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            if !names.insert(node.name.as_str()) {
                return Err(GraphError::DuplicateName { node: node.name.clone() });
            }
            if let Some(&input) = node.inputs.iter().find(|&&input| input >= index) {
                return Err(GraphError::InputOrder { node: node.name.clone(), index, input });
            }
            let inputs: Vec<&Shape> = node.inputs.iter().map(|&input| &shapes[input]).collect();
            shapes.push(
                infer_shape(&node.layer, &inputs)
                    .map_err(|source| GraphError::Shape { node: node.name.clone(), source })?,
            );
        }
        if self.outputs.is_empty() {
            return Err(GraphError::NoOutput);
        }
        match self.outputs.iter().find(|&&output| output >= self.nodes.len()) {
            Some(&output) => Err(GraphError::Output { output, n_nodes: self.nodes.len() }),
            None => Ok(shapes),
        }
    }

    /// Positions of the [`Layer::Input`] nodes, in order.
    #[must_use]
    pub fn input_nodes(&self) -> Vec<NodeIndex> {
        let is_input = |&index: &NodeIndex| matches!(self.nodes[index].layer, Layer::Input { .. });
        (0..self.nodes.len()).filter(is_input).collect()
    }
}
