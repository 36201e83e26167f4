//! Nodes that no output depends on are not built, and neither are their parameters.

use crate::program::Program;

/// Removes every node but the inputs that no output depends on.
pub fn drop_dead(program: &mut Program) {
    let mut needed = vec![false; program.nodes.len()];
    for &output in &program.outputs {
        needed[output] = true;
    }
    for index in (0..program.nodes.len()).rev() {
        if needed[index] {
            for &input in &program.nodes[index].inputs {
                needed[input] = true;
            }
        }
    }
    let mut moved_to = vec![0; program.nodes.len()];
    let mut kept = Vec::with_capacity(program.nodes.len());
    for (index, mut node) in std::mem::take(&mut program.nodes).into_iter().enumerate() {
        if needed[index] || node.is_input() {
            for input in &mut node.inputs {
                *input = moved_to[*input];
            }
            moved_to[index] = kept.len();
            kept.push(node);
        }
    }
    program.nodes = kept;
    for output in &mut program.outputs {
        *output = moved_to[*output];
    }
}
