//! Identities cost nothing: their readers read what they read.

use nas_plugin_api::graph::{Layer, NodeIndex};

use crate::program::{Op, Program};

/// Takes identities, and sums of one term of weight 1, out of every path; the nodes themselves
/// stay, unread.
pub fn drop_identity(program: &mut Program) {
    let mut stands_for: Vec<NodeIndex> = (0..program.nodes.len()).collect();
    for index in 0..program.nodes.len() {
        let node = &mut program.nodes[index];
        for input in &mut node.inputs {
            *input = stands_for[*input];
        }
        let hands_on = match &node.op {
            Op::Layer(Layer::Identity) => true,
            Op::Sum { terms } => matches!(terms.as_slice(), [only] if only.paths.is_empty()),
            _ => false,
        };
        if hands_on && let [only] = node.inputs.as_slice() {
            stands_for[index] = *only;
        }
    }
    for output in &mut program.outputs {
        *output = stands_for[*output];
    }
}
