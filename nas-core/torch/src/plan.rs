//! In which order nodes are computed, which values are dropped, and which may be overwritten.
//!
//! A value is dropped after its last reader, so that only autograd keeps what its backward pass
//! needs. A value is overwritten only where nobody can notice: its reader is its only one, and the
//! layer that made it owns its memory and does not need it for its own gradient.

use nas_plugin_api::component::Need;
use nas_plugin_api::graph::{Activation, Layer, NodeIndex, PoolKind};

use crate::program::{Node, Op, Program};

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
    /// Positions of the node's inputs that are read: all but those on skipped paths.
    pub(crate) active: Vec<usize>,
    /// Position among the active inputs of one whose memory may take the result.
    pub(crate) overwrite: Option<usize>,
    /// Nodes whose values nobody reads afterwards.
    pub(crate) last_reads: Vec<NodeIndex>,
}

impl Plan {
    /// What some outputs need, given what is needed of each path (empty for a concrete network).
    pub(crate) fn new(program: &Program, outputs: &[NodeIndex], needs: &[Need]) -> Self {
        let n_nodes = program.nodes.len();
        let mut needed = vec![false; n_nodes];
        for &output in outputs {
            needed[output] = true;
        }
        let mut active: Vec<Vec<usize>> = vec![Vec::new(); n_nodes];
        for index in (0..n_nodes).rev().filter(|&index| !program.nodes[index].is_input()) {
            if needed[index] {
                let node = &program.nodes[index];
                active[index] = active_inputs(node, needs);
                for &position in &active[index] {
                    needed[node.inputs[position]] = true;
                }
            }
        }
        let mut reads = vec![0_usize; n_nodes];
        let mut last_reader = vec![None; n_nodes];
        for &output in outputs {
            reads[output] += 1;
        }
        for (index, node) in program.nodes.iter().enumerate().filter(|&(index, _)| needed[index]) {
            for &position in &active[index] {
                reads[node.inputs[position]] += 1;
                last_reader[node.inputs[position]] = Some(index);
            }
        }
        let steps = program
            .nodes
            .iter()
            .enumerate()
            .filter(|(index, node)| needed[*index] && !node.is_input())
            .map(|(index, node)| {
                let active = std::mem::take(&mut active[index]);
                let read: Vec<NodeIndex> = active.iter().map(|&at| node.inputs[at]).collect();
                let free = |input: &NodeIndex| {
                    reads[*input] == 1 && may_be_overwritten(&program.nodes[*input].op)
                };
                let overwrite = match &node.op {
                    Op::Layer(Layer::Activation(Activation::Relu)) => read.iter().position(free),
                    Op::Sum { .. } if read.len() > 1 => read[..2].iter().position(free),
                    _ => None,
                };
                let mut last_reads = read;
                last_reads.sort_unstable();
                last_reads.dedup();
                last_reads.retain(|&input| {
                    last_reader[input] == Some(index) && !outputs.contains(&input)
                });
                Step { node: index, active, overwrite, last_reads }
            })
            .collect();
        Self { steps, outputs: outputs.to_vec() }
    }
}

/// The inputs that are read: those whose paths are all needed.
fn active_inputs(node: &Node, needs: &[Need]) -> Vec<usize> {
    let skipped = |path: &usize| needs.get(*path) == Some(&Need::Skip);
    let all = 0..node.inputs.len();
    match (&node.op, node.op.terms()) {
        (_, Some(terms)) => all.filter(|&at| !terms[at].paths.iter().any(skipped)).collect(),
        // Without any of its convolutions there is nothing to convolve.
        (Op::MergedConvolution { terms }, _)
            if terms.iter().all(|merged| merged.term.paths.iter().any(skipped)) =>
        {
            Vec::new()
        }
        _ => all.collect(),
    }
}

/// Whether a result lies in memory of its own that its gradient does not need: these save their
/// inputs only. (ReLU saves its result, slices and reshapes are views of their input, and dropout
/// hands its input on in evaluation.)
fn may_be_overwritten(op: &Op) -> bool {
    match op {
        Op::MergedConvolution { .. } => true,
        Op::Layer(
            Layer::Conv2d(_) | Layer::BatchNorm(_) | Layer::GroupNorm(_) | Layer::LayerNorm(_),
        ) => true,
        Op::Layer(Layer::Pool2d(pool)) => matches!(pool.kind, PoolKind::Average { .. }),
        _ => false,
    }
}
