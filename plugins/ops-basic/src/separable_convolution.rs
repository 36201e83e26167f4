//! `sep_conv_3x3`, `sep_conv_5x5`, `dil_conv_3x3` and `dil_conv_5x5`.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

use crate::convolution::norm;

/// ReLU, depthwise convolution whose taps lie `dilation` apart, 1×1 convolution, batch norm.
///
/// Differs from the operations of the same names in the set `darts`: a separable convolution
/// there is two of these.
pub(crate) fn separable_convolution(
    kernel: usize,
    dilation: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let x = graph.relu(x);
    let depthwise = Conv2d::depthwise(kernel).dilation(dilation).stride(context.stride);
    let x = graph.layer(depthwise.padding(kernel / 2 * dilation), x);
    let x = graph.layer(Conv2d::new(context.channels(), 1), x);
    graph.layer(norm(context), x)
}
