//! `max_pool_3x3` and `avg_pool_3x3`.

use nas_plugin_api::graph::{GraphBuilder, NodeIndex, Pool2d};
use nas_plugin_api::template::{OperationContext, Role};

use crate::norm::norm;

/// A 3×3 pool, followed by a batch norm in supernets only.
///
/// # Shapes
/// Channels stay: in the DARTS space, inputs are brought to the cell's channels before.
pub(crate) fn pool(
    pool: Pool2d,
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let pooled = graph.layer(pool.stride(context.stride).padding(1), x);
    match context.role {
        Role::Search => graph.layer(norm(context), pooled),
        Role::Final => pooled,
    }
}
