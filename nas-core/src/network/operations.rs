//! The layer graphs of operations, asked for once per context.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nas_plugin_api::component::OperationSet;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Graph, GraphBuilder, GraphError, Layer, NodeIndex, Shape};
use nas_plugin_api::template::{Effect, OperationContext};

use super::graph_cost;

/// The layer graphs of one set of operations; each is asked for once.
pub struct OperationGraphs {
    operations: Mutex<Box<dyn OperationSet>>,
    known: Mutex<HashMap<(String, OperationContext), Arc<OperationGraph>>>,
}

/// One operation in one context.
#[derive(Debug)]
pub(super) struct OperationGraph {
    pub(super) graph: Graph,
    pub(super) effect: Effect,
    pub(super) cost: nas_plugin_api::measurement::Cost,
}

/// Why an operation can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The plugin can't build it.
    #[error("operation `{operation}`: {source}")]
    Plugin {
        /// The operation.
        operation: String,
        /// What the plugin said.
        source: PluginError,
    },
    /// Its layer graph is not sound.
    #[error("operation `{operation}` declares a graph that is not sound: {source}")]
    Graph {
        /// The operation.
        operation: String,
        /// What is wrong with it.
        source: GraphError,
    },
    /// It returns another shape than it was asked for.
    #[error("operation `{operation}` returns {found}, but {expected} was asked for")]
    Shape {
        /// The operation.
        operation: String,
        /// What was asked for.
        expected: Shape,
        /// What it returns.
        found: Shape,
    },
}

impl OperationGraphs {
    /// The graphs of these operations.
    #[must_use]
    pub fn new(operations: Box<dyn OperationSet>) -> Self {
        Self { operations: Mutex::new(operations), known: Mutex::default() }
    }

    /// The operations' names, in the mixture's order.
    #[must_use]
    pub fn infos(&self) -> Vec<nas_plugin_api::component::OperationInfo> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).operations()
    }

    /// An operation's graph, effect and cost in a context.
    pub(super) fn get(
        &self,
        operation: &str,
        context: &OperationContext,
    ) -> Result<Arc<OperationGraph>, OperationError> {
        let key = (operation.to_owned(), context.clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(graph) = known.get(&key) {
            return Ok(Arc::clone(graph));
        }
        let operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        let graph = Arc::new(build(operations.as_ref(), operation, context)?);
        known.insert(key, Arc::clone(&graph));
        Ok(graph)
    }
}

fn build(
    operations: &dyn OperationSet,
    operation: &str,
    context: &OperationContext,
) -> Result<OperationGraph, OperationError> {
    let unsound = |source| OperationError::Graph { operation: operation.to_owned(), source };
    let mut builder = GraphBuilder::new();
    let inputs: Vec<NodeIndex> =
        context.inputs.iter().map(|shape| builder.input(shape.clone())).collect();
    let output = operations
        .build(operation, context, &inputs, &mut builder)
        .map_err(|source| OperationError::Plugin { operation: operation.to_owned(), source })?;
    let graph = builder.finish(output).map_err(unsound)?;
    let shapes = graph.shapes().map_err(unsound)?;
    if shapes[output] != context.output {
        return Err(OperationError::Shape {
            operation: operation.to_owned(),
            expected: context.output.clone(),
            found: shapes[output].clone(),
        });
    }
    let (effect, cost) = (effect(&graph, output), graph_cost(&graph).map_err(unsound)?);
    Ok(OperationGraph { graph, effect, cost })
}

/// What an operation does, as its graph tells.
fn effect(graph: &Graph, output: NodeIndex) -> Effect {
    let mut last = output;
    while let Layer::Identity = graph.nodes[last].layer {
        match graph.nodes[last].inputs.first() {
            Some(&input) => last = input,
            None => break,
        }
    }
    match graph.nodes[last].layer {
        Layer::Zero { .. } => Effect::Zero,
        Layer::Input { .. } if Some(&last) == graph.input_nodes().first() => Effect::Identity,
        _ if graph.nodes.iter().any(|node| node.layer.is_learnt()) => Effect::Learnt,
        _ => Effect::Fixed,
    }
}
