//! `linear` and `gelu_mlp`.

use nas_plugin_api::graph::{Activation, Conv2d, GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

/// How much wider the layer in the middle of `gelu_mlp` is.
///
/// # Source
/// Vaswani et al. Attention is all you need, NIPS 2017, section 3.3: 512, 2048, 512.
const EXPANSION: usize = 4;

/// A linear layer; on images, one for all pixels.
pub(crate) fn linear(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    dense(features(context), context.stride, context, x, graph)
}

/// Linear to four times the features, GELU, linear.
pub(crate) fn gelu_mlp(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let x = dense(EXPANSION * features(context), context.stride, context, x, graph);
    let x = graph.layer(Activation::Gelu, x);
    dense(features(context), 1, context, x, graph)
}

/// Channels of an image, features of anything else.
fn features(context: &OperationContext) -> usize {
    let extents = &context.output.0;
    let features = if extents.len() == 3 { extents.first() } else { extents.last() };
    features.copied().unwrap_or(0)
}

fn dense(
    features: usize,
    stride: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    match context.output.0.len() {
        3 => graph.layer(Conv2d::new(features, 1).stride(stride).bias(true), x),
        _ => graph.linear(features, x),
    }
}
