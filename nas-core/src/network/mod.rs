//! Networks as data: from template and genotype to layer graph, and what it costs.
//!
//! Nothing here is built or run; costs are counted from the graph before anything exists.

mod concrete;
mod cost;
mod fixed_costs;
mod operation_counts;
mod operations;
mod outline;
mod space;
mod supernet;

pub use cost::layer_cost;
pub use operations::{OperationError, OperationGraphs};
pub use outline::{Outline, Outliner};
pub use space::{NetworkError, NetworkSpace};
pub use supernet::{Path, Supernet, SupernetLayer, SupernetNode};

use nas_plugin_api::graph::{Graph, GraphError};
use nas_plugin_api::measurement::Cost;

/// What a network costs.
///
/// # Errors
/// A graph that is not sound.
pub fn graph_cost(graph: &Graph) -> Result<Cost, GraphError> {
    let shapes = graph.shapes()?;
    let mut total = Cost::default();
    let mut depths: Vec<u32> = Vec::with_capacity(graph.nodes.len());
    for (node, shape) in graph.nodes.iter().zip(&shapes) {
        let inputs: Vec<_> = node.inputs.iter().map(|&input| &shapes[input]).collect();
        let cost = layer_cost(&node.layer, &inputs, shape);
        let below = node.inputs.iter().map(|&input| depths[input]).max().unwrap_or(0);
        depths.push(below + cost.depth);
        total.parameters += cost.parameters;
        total.multiply_adds += cost.multiply_adds;
        total.activation_bytes += cost.activation_bytes;
    }
    total.depth = graph.outputs.iter().map(|&output| depths[output]).max().unwrap_or(0);
    Ok(total)
}
