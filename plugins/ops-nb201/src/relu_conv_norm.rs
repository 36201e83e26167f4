//! `nor_conv_1x1` and `nor_conv_3x3`.

use nas_plugin_api::graph::{BatchNorm, Conv2d, GraphBuilder, NodeIndex, Statistics};
use nas_plugin_api::template::{OperationContext, Role};

/// ReLU, convolution, batch norm.
pub(crate) fn relu_conv_norm(
    kernel: usize,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let x = graph.relu(x);
    let strided = convolution(kernel, context).stride(context.stride).padding(kernel / 2);
    let x = graph.layer(strided, x);
    graph.layer(norm(context), x)
}

/// A convolution to the context's channels, with a bias exactly when its batch norm has none.
pub(crate) fn convolution(kernel: usize, context: &OperationContext) -> Conv2d {
    Conv2d::new(context.channels(), kernel).bias(!norm(context).affine)
}

/// Affine with running statistics in a final network; in a supernet neither.
pub(crate) fn norm(context: &OperationContext) -> BatchNorm {
    match context.role {
        Role::Search => {
            BatchNorm { affine: false, statistics: Statistics::Batch, ..BatchNorm::default() }
        }
        Role::Final => BatchNorm::default(),
    }
}
