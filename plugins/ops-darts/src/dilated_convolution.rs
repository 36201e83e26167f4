//! `dil_conv_3x3` and `dil_conv_5x5`.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

use crate::norm::norm;

/// ReLU, depthwise convolution whose taps lie 2 apart, 1×1 convolution, batch norm.
pub(crate) fn dilated_convolution(
    kernel: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let x = graph.relu(x);
    let depthwise = Conv2d::depthwise(kernel).dilation(2).stride(context.stride);
    let x = graph.layer(depthwise.padding(kernel - 1), x);
    let x = graph.layer(Conv2d::new(context.channels(), 1), x);
    graph.layer(norm(context), x)
}
