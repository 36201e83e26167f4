//! A search space joined with a set of operations: what can be asked about its networks.

use std::sync::Arc;

use nas_plugin_api::component::SearchSpace;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{GraphError, Shape, infer_shape};
use nas_plugin_api::template::{
    Options, Role, Scale, Space, Template, TemplateError, TemplateLayer,
};

use super::fixed_costs::FixedCosts;
use super::operation_counts::OperationCounter;
use super::{OperationError, OperationGraphs};

/// A checked template whose operations are known.
#[derive(Clone)]
pub struct NetworkSpace {
    pub(super) space: Space,
    pub(super) operations: Arc<OperationGraphs>,
    pub(super) role: Role,
    /// Every node's shape with all widths at their largest.
    pub(super) widest: Arc<Vec<Shape>>,
    /// What every node costs, unless that depends on widths.
    pub(super) fixed_costs: Option<Arc<FixedCosts>>,
    pub(super) operation_counter: Arc<OperationCounter>,
}

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The space can't make a template.
    #[error("the search space failed to {0}")]
    Space(PluginError),
    /// The template is not sound.
    #[error("the search space's template is not sound: {0}")]
    Template(#[from] TemplateError),
    /// An operation can't be used.
    #[error("node `{node}`: {source}")]
    Operation {
        /// The template's node.
        node: String,
        /// Why.
        source: OperationError,
    },
    /// The genotype makes a network that can't be computed.
    #[error("this genotype's network can't be computed: {0}")]
    Graph(#[from] GraphError),
    /// Partial channels are for edges that keep their channels.
    #[error(
        "node `{node}`: with one in {one_in} channels mixed, an edge has one input (here {inputs}) \
         and keeps its channels, a multiple of {one_in} (here {channels} to {output})"
    )]
    PartialChannels {
        /// The template's node.
        node: String,
        /// Its inputs.
        inputs: usize,
        /// Channels it reads.
        channels: usize,
        /// Channels it returns.
        output: usize,
        /// One in so many channels is mixed.
        one_in: usize,
    },
    /// A norm over channels of which some are masked away.
    #[error(
        "node `{node}`: a {layer} over channels whose number is chosen can't be part of a supernet, \
         since it would count those that are not there; take a batch norm, or a strategy that \
         evaluates single networks"
    )]
    NormOfWidth {
        /// The template's node.
        node: String,
        /// What it is.
        layer: &'static str,
    },
    /// The space names an operation that the set does not have.
    #[error(
        "the space needs operation `{operation}`, which the set does not have (it has {known})"
    )]
    UnknownOperation {
        /// The operation.
        operation: String,
        /// What there is.
        known: String,
    },
}

impl NetworkSpace {
    /// Asks a space for its template and every operation for its layer graphs, as far as shapes
    /// do not depend on width choices; those are asked for when first met.
    ///
    /// # Errors
    /// Whatever the space or an operation can't do, with the node's name.
    pub fn new(
        space: &dyn SearchSpace,
        operations: OperationGraphs,
        scale: &Scale,
        role: Role,
    ) -> Result<Self, NetworkError> {
        let infos = operations.infos();
        let template = space
            .template(&infos, &Scale { role, ..scale.clone() })
            .map_err(NetworkError::Space)?;
        let names: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
        check_names(&template, &names)?;
        // Checked once before the shapes are used, once with the effects filled in.
        let template = Space::new(template)?.template().clone();
        let (template, widest) = fill_effects(template, &operations, role)?;
        let fixed_costs = FixedCosts::of(&template, &widest, &operations, role)?.map(Arc::new);
        let (space, operations) = (Space::new(template)?, Arc::new(operations));
        let operation_counter = Arc::new(OperationCounter::new(&space));
        let widest = Arc::new(widest);
        Ok(Self { space, operations, role, widest, fixed_costs, operation_counter })
    }

    /// The checked template, with what each operation does at each place.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }
}

fn check_names(template: &Template, names: &[&str]) -> Result<(), NetworkError> {
    for choice in &template.choices {
        if let Options::Operation { candidates, .. } = &choice.options
            && let Some(operation) = candidates.iter().find(|name| !names.contains(&name.as_str()))
        {
            let (operation, known) = (operation.clone(), names.join(", "));
            return Err(NetworkError::UnknownOperation { operation, known });
        }
    }
    Ok(())
}

/// Asks every operation what it does at every place, with all widths at their largest.
fn fill_effects(
    mut template: Template,
    operations: &OperationGraphs,
    role: Role,
) -> Result<(Template, Vec<Shape>), NetworkError> {
    let mut shapes: Vec<Shape> = Vec::with_capacity(template.nodes.len());
    let choices = template.choices.clone();
    for node in &mut template.nodes {
        let inputs: Vec<&Shape> = node.inputs.iter().map(|&input| &shapes[input]).collect();
        let shape = match &mut node.layer {
            TemplateLayer::Layer(layer) | TemplateLayer::Wide { layer, .. } => {
                infer_shape(layer, &inputs)
                    .map_err(|source| GraphError::Shape { node: node.name.clone(), source })?
            }
            TemplateLayer::Operation { choice, context, effects } => {
                context.role = role;
                context.inputs = inputs.into_iter().cloned().collect();
                let Options::Operation { candidates, .. } = &choices[*choice].options else {
                    continue;
                };
                effects.clear();
                for candidate in candidates {
                    let graph = operations.get(candidate, context).map_err(|source| {
                        NetworkError::Operation { node: node.name.clone(), source }
                    })?;
                    effects.push(graph.effect);
                }
                context.output.clone()
            }
            TemplateLayer::Inputs { .. } | TemplateLayer::Depth { .. } => inputs
                .iter()
                .max_by_key(|shape| shape.elements())
                .map(|&shape| shape.clone())
                .unwrap_or_default(),
            _ => Shape::default(),
        };
        shapes.push(shape);
    }
    Ok((template, shapes))
}
