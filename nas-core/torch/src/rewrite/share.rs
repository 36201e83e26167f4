//! Common subexpressions: layers without parameters that compute the same from the same inputs are
//! computed once.
//!
//! In a cell of NAS-Bench-201 or DARTS every convolution edge starts with the ReLU of its node; the
//! edges of one node share it after this rule.

use nas_plugin_api::graph::{Graph, Layer, NodeIndex};

/// Lets all readers of equal nodes read the first of them; the others stay, unread.
pub fn share(graph: &mut Graph) {
    let mut stands_for: Vec<NodeIndex> = (0..graph.nodes.len()).collect();
    let mut firsts: Vec<Vec<NodeIndex>> = vec![Vec::new(); graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        for input in &mut graph.nodes[index].inputs {
            *input = stands_for[*input];
        }
        let node = &graph.nodes[index];
        if !is_pure(&node.layer) {
            continue;
        }
        // Equal nodes read the same first input, so only its readers need be compared.
        let Some(&first_input) = node.inputs.first() else { continue };
        let equal = |&&other: &&NodeIndex| {
            let other = &graph.nodes[other];
            other.layer == node.layer && other.inputs == node.inputs
        };
        match firsts[first_input].iter().find(equal) {
            Some(&first) => stands_for[index] = first,
            None => firsts[first_input].push(index),
        }
    }
    for output in &mut graph.outputs {
        *output = stands_for[*output];
    }
}

/// Whether a layer's result depends on its inputs alone: no parameters, statistics or chance.
fn is_pure(layer: &Layer) -> bool {
    match layer {
        Layer::Input { .. }
        | Layer::Conv1d(_)
        | Layer::Conv2d(_)
        | Layer::Linear(_)
        | Layer::BatchNorm(_)
        | Layer::Embedding(_)
        | Layer::Dropout { .. }
        | Layer::DropPath => false,
        Layer::LayerNorm(norm) => !norm.affine,
        Layer::GroupNorm(norm) => !norm.affine,
        _ => true,
    }
}
