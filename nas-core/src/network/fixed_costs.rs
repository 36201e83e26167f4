//! Costs of the parts of a network, known beforehand where no choice changes a shape.

use nas_plugin_api::graph::{Layer, NodeIndex, Shape};
use nas_plugin_api::measurement::Cost;
use nas_plugin_api::template::{
    Decided, Decision, OperationContext, Options, Role, Template, TemplateLayer, TemplateNode,
};

use super::{NetworkError, OperationGraphs, layer_cost};

/// What each node costs, whatever is decided: only for spaces without widths to choose, in which
/// every node has one shape.
pub(super) struct FixedCosts(Vec<NodeCosts>);

/// What a node costs.
struct NodeCosts {
    /// As a sum of what it reads.
    sum: Cost,
    /// As a layer.
    layer: Cost,
    /// By candidate.
    candidates: Vec<Cost>,
}

impl FixedCosts {
    /// The costs, unless a shape depends on a choice.
    ///
    /// # Errors
    /// An operation that can't be built.
    pub(super) fn of(
        template: &Template,
        shapes: &[Shape],
        operations: &OperationGraphs,
        role: Role,
    ) -> Result<Option<Self>, NetworkError> {
        if template.nodes.iter().any(|node| !is_fixed(node, shapes)) {
            return Ok(None);
        }
        let costs = template.nodes.iter().zip(shapes).map(|(node, shape)| {
            let inputs: Vec<&Shape> = node.inputs.iter().map(|&input| &shapes[input]).collect();
            let layer = match &node.layer {
                TemplateLayer::Layer(layer) => layer_cost(layer, &inputs, shape),
                _ => Cost::default(),
            };
            let sum = layer_cost(&Layer::Add, &inputs, shape);
            Ok(NodeCosts { sum, layer, candidates: candidates(template, node, operations, role)? })
        });
        costs.collect::<Result<_, _>>().map(|costs| Some(Self(costs)))
    }

    /// What is left by a decision costs. `depths` is memory to work in.
    pub(super) fn total(&self, decision: &Decision, depths: &mut Vec<u32>) -> Cost {
        let mut total = Cost::default();
        depths.clear();
        for (decided, costs) in decision.nodes.iter().zip(&self.0) {
            let depth = match decided {
                Decided::Dead | Decided::Zero => 0,
                Decided::Same(other) => depths[*other],
                Decided::Sum(inputs) => add(&mut total, &costs.sum) + deepest(inputs, depths),
                Decided::Layer(inputs) => add(&mut total, &costs.layer) + deepest(inputs, depths),
                Decided::Operations { candidates, inputs, .. } => {
                    let depth = candidates
                        .iter()
                        .map(|&candidate| add(&mut total, &costs.candidates[candidate]))
                        .max();
                    depth.unwrap_or(0) + deepest(inputs, depths)
                }
            };
            depths.push(depth);
        }
        total.depth = deepest(&decision.outputs, depths);
        total
    }
}

/// Adds everything but the depth, which is returned.
fn add(total: &mut Cost, part: &Cost) -> u32 {
    total.parameters += part.parameters;
    total.multiply_adds += part.multiply_adds;
    total.activation_bytes += part.activation_bytes;
    part.depth
}

fn deepest(nodes: &[NodeIndex], depths: &[u32]) -> u32 {
    nodes.iter().map(|&node| depths[node]).max().unwrap_or(0)
}

/// Whether a node has the same shape whatever is chosen.
fn is_fixed(node: &TemplateNode, shapes: &[Shape]) -> bool {
    match &node.layer {
        TemplateLayer::Layer(_) | TemplateLayer::Operation { .. } => true,
        TemplateLayer::Inputs { .. } | TemplateLayer::Depth { .. } => {
            let mut inputs = node.inputs.iter().map(|&input| &shapes[input]);
            let first = inputs.next();
            inputs.all(|shape| Some(shape) == first)
        }
        _ => false,
    }
}

fn candidates(
    template: &Template,
    node: &TemplateNode,
    operations: &OperationGraphs,
    role: Role,
) -> Result<Vec<Cost>, NetworkError> {
    let TemplateLayer::Operation { choice, context, .. } = &node.layer else {
        return Ok(Vec::new());
    };
    let Options::Operation { candidates, .. } = &template.choices[*choice].options else {
        return Ok(Vec::new());
    };
    let context = OperationContext { role, ..context.clone() };
    let cost = |name: &String| {
        operations
            .get(name, &context)
            .map(|graph| graph.cost)
            .map_err(|source| NetworkError::Operation { node: node.name.clone(), source })
    };
    candidates.iter().map(cost).collect()
}
