//! Nodes that no output depends on are not built, and neither are their parameters.

use nas_plugin_api::graph::{Graph, Layer};

use crate::plan::graph_needs;

/// Removes every node but the inputs that no output depends on.
pub fn drop_dead(graph: &mut Graph) {
    let needed = graph_needs(graph, &graph.outputs);
    let mut moved_to = vec![0; graph.nodes.len()];
    let mut kept = Vec::with_capacity(graph.nodes.len());
    for (index, mut node) in std::mem::take(&mut graph.nodes).into_iter().enumerate() {
        if needed[index] || matches!(node.layer, Layer::Input { .. }) {
            for input in &mut node.inputs {
                *input = moved_to[*input];
            }
            moved_to[index] = kept.len();
            kept.push(node);
        }
    }
    graph.nodes = kept;
    for output in &mut graph.outputs {
        *output = moved_to[*output];
    }
}
