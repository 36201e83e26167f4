//! From the layer graph of a concrete network.

use nas_plugin_api::graph::{Graph, GraphError, Layer};

use super::{Node, Op, Program, Term};

impl Program {
    /// The same network, node by node.
    ///
    /// # Errors
    /// A graph that is not sound.
    pub fn from_graph(graph: &Graph) -> Result<Self, GraphError> {
        let shapes = graph.shapes()?;
        let nodes = graph
            .nodes
            .iter()
            .zip(shapes)
            .map(|(node, shape)| {
                let op = match &node.layer {
                    Layer::Add => Op::Sum { terms: vec![Term::default(); node.inputs.len()] },
                    layer => Op::Layer(layer.clone()),
                };
                Node { name: node.name.clone(), op, inputs: node.inputs.clone(), shape }
            })
            .collect();
        Ok(Self { nodes, outputs: graph.outputs.clone(), n_paths: 0 })
    }
}
