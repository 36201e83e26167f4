//! Common subexpressions: what computes the same from the same inputs is computed once.
//!
//! In a cell of NAS-Bench-201 or DARTS every convolution edge starts with the ReLU of its node; the
//! edges of one node share it after this rule. In a DARTS supernet they also share both pools and
//! the batch norms behind them, 5 instead of 14 a cell.

use nas_plugin_api::graph::{Layer, NodeIndex, Statistics};

use crate::program::{Op, Program};

/// Lets all readers of equal nodes read the first of them; the others stay, unread.
pub fn share(program: &mut Program) {
    let mut stands_for: Vec<NodeIndex> = (0..program.nodes.len()).collect();
    let mut firsts: Vec<Vec<NodeIndex>> = vec![Vec::new(); program.nodes.len()];
    for index in 0..program.nodes.len() {
        for input in &mut program.nodes[index].inputs {
            *input = stands_for[*input];
        }
        let node = &program.nodes[index];
        if !is_pure(&node.op) {
            continue;
        }
        // Equal nodes read the same first input, so only its readers need be compared.
        let Some(&first_input) = node.inputs.first() else { continue };
        let equal = |&&other: &&NodeIndex| {
            let other = &program.nodes[other];
            other.op == node.op && other.inputs == node.inputs
        };
        match firsts[first_input].iter().find(equal) {
            Some(&first) => stands_for[index] = first,
            None => firsts[first_input].push(index),
        }
    }
    for output in &mut program.outputs {
        *output = stands_for[*output];
    }
}

/// Whether a result depends on the inputs alone: no parameters, statistics or chance.
fn is_pure(op: &Op) -> bool {
    let layer = match op {
        Op::Layer(layer) => layer,
        Op::Subsample { .. } => return true,
        // Of mixtures, equal ones are none of a space's; and dropout may act on their terms.
        _ => return false,
    };
    match layer {
        Layer::Input { .. }
        | Layer::Conv1d(_)
        | Layer::Conv2d(_)
        | Layer::Linear(_)
        | Layer::Embedding(_)
        | Layer::Dropout { .. }
        | Layer::DropPath => false,
        Layer::BatchNorm(norm) => !norm.affine && norm.statistics == Statistics::Batch,
        Layer::LayerNorm(norm) => !norm.affine,
        Layer::GroupNorm(norm) => !norm.affine,
        _ => true,
    }
}
