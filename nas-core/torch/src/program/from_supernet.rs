//! From a supernet.

use nas_core::network::{Supernet, SupernetLayer};
use nas_plugin_api::graph::{GraphError, Layer, Shape, infer_shape};

use super::{Node, Op, Program, Term};

impl Program {
    /// The same supernet, node by node.
    ///
    /// # Errors
    /// A supernet that is not sound.
    pub fn from_supernet(supernet: &Supernet) -> Result<Self, GraphError> {
        let mut nodes: Vec<Node> = Vec::with_capacity(supernet.nodes.len());
        for (index, node) in supernet.nodes.iter().enumerate() {
            if let Some(&input) = node.inputs.iter().find(|&&input| input >= index) {
                return Err(GraphError::InputOrder { node: node.name.clone(), index, input });
            }
            let shapes: Vec<&Shape> =
                node.inputs.iter().map(|&input| &nodes[input].shape).collect();
            let layer = match &node.layer {
                SupernetLayer::Layer(layer) => layer,
                SupernetLayer::Mixture { .. } => &Layer::Add,
                SupernetLayer::WidthMask { .. } => &Layer::Identity,
            };
            let shape = infer_shape(layer, &shapes)
                .map_err(|source| GraphError::Shape { node: node.name.clone(), source })?;
            let op = match &node.layer {
                SupernetLayer::Layer(Layer::Add) => {
                    Op::Sum { terms: vec![Term::default(); node.inputs.len()] }
                }
                SupernetLayer::Layer(layer) => Op::Layer(layer.clone()),
                SupernetLayer::Mixture { paths } => {
                    let term = |path: &nas_core::network::Path| Term {
                        paths: vec![path.index],
                        is_identity: path.is_identity,
                    };
                    Op::Sum { terms: paths.iter().map(term).collect() }
                }
                SupernetLayer::WidthMask { paths, widths } => {
                    Op::WidthMask { paths: paths.clone(), widths: widths.clone() }
                }
            };
            nodes.push(Node { name: node.name.clone(), op, inputs: node.inputs.clone(), shape });
        }
        if let Some(&output) = supernet.outputs.iter().find(|&&output| output >= nodes.len()) {
            return Err(GraphError::Output { output, n_nodes: nodes.len() });
        }
        Ok(Self { nodes, outputs: supernet.outputs.clone(), n_paths: supernet.n_paths })
    }
}
