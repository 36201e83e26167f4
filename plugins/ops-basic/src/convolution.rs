//! `conv_1x1` to `conv_7x7`, and `norm_conv_1x1` to `norm_conv_5x5`.

use nas_plugin_api::graph::{BatchNorm, Conv2d, GraphBuilder, NodeIndex, Statistics};
use nas_plugin_api::template::{OperationContext, Role};

/// A bare convolution with bias.
pub(crate) fn convolution(
    kernel: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let convolution = Conv2d::new(context.channels(), kernel).padding(kernel / 2).bias(true);
    graph.layer(convolution.stride(context.stride), x)
}

/// ReLU, convolution without bias, batch norm.
pub(crate) fn normalized_convolution(
    kernel: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let x = graph.relu(x);
    let convolution = Conv2d::new(context.channels(), kernel).padding(kernel / 2);
    let x = graph.layer(convolution.stride(context.stride), x);
    graph.layer(norm(context), x)
}

/// Affine with running statistics in a final network; in a supernet, where networks of many
/// shapes share it, neither.
pub(crate) fn norm(context: &OperationContext) -> BatchNorm {
    match context.role {
        Role::Search => {
            BatchNorm { affine: false, statistics: Statistics::Batch, ..BatchNorm::default() }
        }
        Role::Final => BatchNorm::default(),
    }
}
