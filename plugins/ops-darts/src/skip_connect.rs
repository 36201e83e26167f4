//! `skip_connect`.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, Layer, NodeIndex};
use nas_plugin_api::template::OperationContext;

use crate::factorized_reduce::factorized_reduce;
use crate::norm::norm;

/// The identity where it fits, a factorised reduction at stride 2.
///
/// Differs: where only the channels change, which the DARTS space never asks for, it is ReLU, 1×1
/// convolution, batch norm, as in front of its cells.
pub(crate) fn skip_connect(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    if is_identity(context) {
        graph.layer(Layer::Identity, x)
    } else if context.stride == 1 {
        let x = graph.relu(x);
        let x = graph.layer(Conv2d::new(context.channels(), 1), x);
        graph.layer(norm(context), x)
    } else {
        factorized_reduce(context, x, graph)
    }
}

/// Whether the input already has the shape to return.
pub(crate) fn is_identity(context: &OperationContext) -> bool {
    context.inputs.first() == Some(&context.output)
}
