//! `avg_pool_3x3`.

use nas_plugin_api::graph::{GraphBuilder, NodeIndex, Pool2d};
use nas_plugin_api::template::OperationContext;

use crate::relu_conv_norm::{convolution, norm};

/// A 3×3 mean that does not count padding, without batch norm.
///
/// Where the channels change, ReLU, 1×1 convolution, batch norm come first, as in the source.
pub(crate) fn average_pool(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let x = match context.input_channels() == context.channels() {
        true => x,
        false => {
            let x = graph.relu(x);
            let x = graph.layer(convolution(1, context), x);
            graph.layer(norm(context), x)
        }
    };
    graph.layer(Pool2d::average(3).stride(context.stride).padding(1), x)
}
