//! Identities cost nothing: their readers read what they read.

use nas_plugin_api::graph::{Graph, Layer, NodeIndex};

/// Takes identities, and sums of one term, out of every path; the nodes themselves stay, unread.
pub fn drop_identity(graph: &mut Graph) {
    let mut stands_for: Vec<NodeIndex> = (0..graph.nodes.len()).collect();
    for index in 0..graph.nodes.len() {
        let node = &mut graph.nodes[index];
        for input in &mut node.inputs {
            *input = stands_for[*input];
        }
        if matches!(node.layer, Layer::Identity | Layer::Add)
            && let [only] = node.inputs.as_slice()
        {
            stands_for[index] = *only;
        }
    }
    for output in &mut graph.outputs {
        *output = stands_for[*output];
    }
}
