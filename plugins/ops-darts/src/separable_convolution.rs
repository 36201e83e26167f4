//! `sep_conv_3x3` and `sep_conv_5x5`.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

use crate::norm::norm;

/// Twice ReLU, depthwise convolution, 1×1 convolution, batch norm; the first one strides.
pub(crate) fn separable_convolution(
    kernel: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let halves = [(graph.shape(x).channels(), context.stride), (context.channels(), 1)];
    halves.into_iter().fold(x, |x, (channels, stride)| {
        let x = graph.relu(x);
        let depthwise = Conv2d::depthwise(kernel).stride(stride).padding(kernel / 2);
        let x = graph.layer(depthwise, x);
        let x = graph.layer(Conv2d::new(channels, 1), x);
        graph.layer(norm(context), x)
    })
}
