//! `max_pool_3x3` and `avg_pool_3x3`.

use nas_plugin_api::graph::{GraphBuilder, NodeIndex, Pool2d};
use nas_plugin_api::template::OperationContext;

use crate::identity::project;

/// A 3×3 pool; where the channels change, a projection follows.
pub(crate) fn pool(
    pool: Pool2d,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let pooled = graph.layer(pool.stride(context.stride).padding(1), x);
    match context.input_channels() == context.channels() {
        true => pooled,
        false => project(context, 1, pooled, graph),
    }
}
