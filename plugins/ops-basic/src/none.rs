//! `none`: no connection.

use nas_plugin_api::graph::{GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

/// Zeros of the shape asked for.
pub(crate) fn none(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    graph.zero(context.output.clone(), x)
}
