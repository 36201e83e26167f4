//! In which order nodes are computed, which values are dropped, and which may be overwritten.
//!
//! A value is dropped after its last reader, so that only autograd keeps what its backward pass
//! needs. A value is overwritten only where nobody can notice: its reader is its only one, and the
//! layer that made it owns its memory and does not need it for its own gradient.

use nas_plugin_api::graph::{Activation, Graph, Layer, NodeIndex, PoolKind};

/// The nodes that some outputs depend on, in order.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) outputs: Vec<NodeIndex>,
}

/// One node to compute.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) node: NodeIndex,
    /// Position among the node's inputs of one whose memory may take the result.
    pub(crate) overwrite: Option<usize>,
    /// Nodes whose values nobody reads afterwards.
    pub(crate) last_reads: Vec<NodeIndex>,
}

impl Plan {
    pub(crate) fn new(graph: &Graph, outputs: &[NodeIndex]) -> Self {
        let needed = graph_needs(graph, outputs);
        let mut reads = vec![0_usize; graph.nodes.len()];
        let mut last_reader = vec![None; graph.nodes.len()];
        for &output in outputs {
            reads[output] += 1;
        }
        for (index, node) in graph.nodes.iter().enumerate().filter(|&(index, _)| needed[index]) {
            for &input in &node.inputs {
                reads[input] += 1;
                last_reader[input] = Some(index);
            }
        }
        let steps = graph
            .nodes
            .iter()
            .enumerate()
            .filter(|(index, node)| needed[*index] && !matches!(node.layer, Layer::Input { .. }))
            .map(|(index, node)| {
                let mut last_reads: Vec<NodeIndex> = node.inputs.clone();
                last_reads.sort_unstable();
                last_reads.dedup();
                last_reads.retain(|&input| {
                    last_reader[input] == Some(index) && !outputs.contains(&input)
                });
                let free = |input: &NodeIndex| {
                    reads[*input] == 1 && may_be_overwritten(&graph.nodes[*input].layer)
                };
                let overwrite = match node.layer {
                    Layer::Activation(Activation::Relu) => node.inputs.iter().position(free),
                    Layer::Add if node.inputs.len() > 1 => node.inputs[..2].iter().position(free),
                    _ => None,
                };
                Step { node: index, overwrite, last_reads }
            })
            .collect();
        Self { steps, outputs: outputs.to_vec() }
    }
}

/// Which nodes some outputs depend on.
pub(crate) fn graph_needs(graph: &Graph, outputs: &[NodeIndex]) -> Vec<bool> {
    let mut needed = vec![false; graph.nodes.len()];
    for &output in outputs {
        needed[output] = true;
    }
    for index in (0..graph.nodes.len()).rev() {
        if needed[index] {
            for &input in &graph.nodes[index].inputs {
                needed[input] = true;
            }
        }
    }
    needed
}

/// Whether a layer's result lies in memory of its own that its gradient does not need: these save
/// their inputs only. (ReLU saves its result, slices and reshapes are views of their input, and
/// dropout hands its input on in evaluation.)
fn may_be_overwritten(layer: &Layer) -> bool {
    match layer {
        Layer::Conv2d(_) | Layer::BatchNorm(_) | Layer::GroupNorm(_) | Layer::LayerNorm(_) => true,
        Layer::Pool2d(pool) => matches!(pool.kind, PoolKind::Average { .. }),
        _ => false,
    }
}
