//! `identity`.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, Layer, Linear, NodeIndex};
use nas_plugin_api::template::OperationContext;

/// The input; where channels or resolution change, a projection.
pub(crate) fn identity(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    match context.inputs.first() == Some(&context.output) {
        true => graph.layer(Layer::Identity, x),
        false => project(context, context.stride, x, graph),
    }
}

/// The cheapest learnt map to another shape: a 1×1 convolution of this stride for images, a linear
/// layer for anything else; without bias.
pub(crate) fn project(
    context: &OperationContext,
    stride: usize,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    match context.output.0.as_slice() {
        &[channels, _, _] => graph.layer(Conv2d::new(channels, 1).stride(stride), x),
        other => {
            let out_features = other.last().copied().unwrap_or(0);
            graph.layer(Linear { out_features, bias: false }, x)
        }
    }
}
