//! The factorised reduction: half the resolution without losing every second pixel.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, NodeIndex, Slice};
use nas_plugin_api::template::OperationContext;

use crate::norm::norm;

/// ReLU, two 1×1 convolutions of stride 2 with half the channels each, the second on the input
/// shifted by one pixel, side by side; batch norm.
///
/// # Shapes
/// `[c, h, w]` to `[channels, ⌈h/2⌉, ⌈w/2⌉]`.
/// # Source
/// `quark0/darts@f276dd3`: cnn/operations.py `FactorizedReduce`.
/// Differs: odd extents, at which the source fails, read one more row or column of zeros, as in
/// `D-X-Y/AutoDL-Projects@f46486e`: xautodl/models/cell_operations.py.
pub(crate) fn factorized_reduce(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let channels = context.channels();
    let x = graph.relu(x);
    let first = graph.layer(halve(channels / 2), x);
    let second = halve(channels - channels / 2);
    let is_even = graph.shape(x).spatial().iter().all(|extent| extent.is_multiple_of(2));
    let second = if is_even {
        let x = shift(x, graph);
        graph.layer(second, x)
    } else {
        // Behind a border of zeros the odd pixels are the even ones: shift the result instead.
        let x = graph.layer(second.padding(1), x);
        shift(x, graph)
    };
    let joined = graph.concat(&[first, second]);
    graph.layer(norm(context), joined)
}

fn halve(channels: usize) -> Conv2d {
    Conv2d::new(channels, 1).stride(2)
}

/// Drops the first row and column.
fn shift(x: NodeIndex, graph: &mut GraphBuilder) -> NodeIndex {
    let from_one = |axis| Slice { axis, start: 1, end: None, step: 1 };
    let x = graph.layer(from_one(1), x);
    graph.layer(from_one(2), x)
}
