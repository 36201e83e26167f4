//! `nas.operations/1`

use nas_plugin_abi::{
    AbiResult, Bytes, Extension, OperationsModule, OperationsObject, OperationsObject_TO, RBox,
    RSlice, RStr, TD_Opaque, WithMetadata,
};
use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use crate::component::{Constructor, OperationInfo, OperationSet};
use crate::error::PluginError;
use crate::graph::{Graph, GraphBuilder, NodeIndex};
use crate::template::OperationContext;

pub(super) const ID: &str = "nas.operations/1";
pub(super) type Object = OperationsObject_TO<'static, RBox<()>>;

#[derive(Serialize, Deserialize)]
struct BuildRequest {
    operation: String,
    context: OperationContext,
}

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<OperationsModule> = &WithMetadata::new(OperationsModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(name: RStr<'_>, config: RSlice<'_, u8>) -> AbiResult<Object> {
    send(catch(|| match registered(name.as_str(), |c| matches!(c, Constructor::Operations(_)))? {
        Constructor::Operations(make) => {
            let component = Exported { component: Guarded::new(make(decode(config.as_slice())?)?) };
            Ok(Object::from_value(component, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn OperationSet>>,
}

impl OperationsObject for Exported {
    fn operations(&self) -> AbiResult<Bytes> {
        send(self.component.call(|operations| encode(&operations.operations())))
    }

    fn build(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes> {
        send(self.component.call(|operations| {
            let BuildRequest { operation, context } = decode(request.as_slice())?;
            encode(&build_graph(operations.as_ref(), &operation, &context)?)
        }))
    }
}

/// An operation's layer graph: inputs of the context's shapes, one output.
pub(crate) fn build_graph(
    operations: &dyn OperationSet,
    operation: &str,
    context: &OperationContext,
) -> Result<Graph, PluginError> {
    let mut builder = GraphBuilder::new();
    let inputs: Vec<NodeIndex> =
        context.inputs.iter().map(|shape| builder.input(shape.clone())).collect();
    let output = operations.build(operation, context, &inputs, &mut builder)?;
    let graph = builder.finish(output)?;
    let shapes = graph.shapes()?;
    match shapes[output] == context.output {
        true => Ok(graph),
        false => Err(PluginError::internal(format!(
            "build operation `{operation}`: it returns {}, but {} was asked for",
            shapes[output], context.output
        ))),
    }
}

/// A set of operations in a loaded library.
pub(super) struct Imported {
    object: Object,
    operations: Vec<OperationInfo>,
}

impl Imported {
    pub(super) fn new(object: Object) -> Result<Self, PluginError> {
        let operations = decode(&receive(object.operations())?)?;
        Ok(Self { object, operations })
    }
}

impl OperationSet for Imported {
    fn operations(&self) -> Vec<OperationInfo> {
        self.operations.clone()
    }

    fn build(
        &self,
        operation: &str,
        context: &OperationContext,
        inputs: &[NodeIndex],
        graph: &mut GraphBuilder,
    ) -> Result<NodeIndex, PluginError> {
        let request = BuildRequest { operation: operation.to_owned(), context: context.clone() };
        let declared: Graph =
            decode(&receive(self.object.build(RSlice::from_slice(&encode(&request)?)))?)?;
        splice(&declared, inputs, graph)
    }
}

/// Copies a one-output graph into a builder, its inputs replaced by `inputs`.
fn splice(
    declared: &Graph,
    inputs: &[NodeIndex],
    graph: &mut GraphBuilder,
) -> Result<NodeIndex, PluginError> {
    declared.shapes()?;
    let mut next_input = inputs.iter();
    let mut place = Vec::with_capacity(declared.nodes.len());
    for node in &declared.nodes {
        place.push(match node.layer {
            crate::graph::Layer::Input { .. } => *next_input.next().ok_or_else(|| {
                PluginError::internal("use an operation's graph: it has more inputs than given")
            })?,
            _ => {
                let inputs: Vec<NodeIndex> = node.inputs.iter().map(|&i| place[i]).collect();
                graph.named(&node.name, node.layer.clone(), &inputs)
            }
        });
    }
    declared
        .outputs
        .first()
        .map(|&output| place[output])
        .ok_or_else(|| PluginError::internal("use an operation's graph: it has no output"))
}
