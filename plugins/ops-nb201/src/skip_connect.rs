//! `skip_connect`.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, Layer, NodeIndex, Slice};
use nas_plugin_api::template::OperationContext;

use crate::relu_conv_norm::{convolution, norm};

/// The identity where it fits; a 1×1 convolution and batch norm where only the channels change; a
/// factorised reduction at stride 2.
pub(crate) fn skip_connect(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    if context.inputs.first() == Some(&context.output) {
        return graph.layer(Layer::Identity, x);
    }
    let x = match context.stride {
        1 => graph.layer(convolution(1, context), x),
        _ => factorized_reduce(context, x, graph),
    };
    graph.layer(norm(context), x)
}

/// ReLU, then two 1×1 convolutions of stride 2 with half the channels each, side by side; the
/// second reads the input shifted by one pixel, with zeros behind its end.
///
/// # Shapes
/// `[c, h, w]` to `[channels, ⌈h/2⌉, ⌈w/2⌉]`.
fn factorized_reduce(
    context: &OperationContext,
    x: NodeIndex,
    graph: &mut GraphBuilder,
) -> NodeIndex {
    let channels = context.channels();
    let halve = |out_channels| Conv2d { out_channels, ..convolution(1, context).stride(2) };
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
    graph.concat(&[first, second])
}

/// Drops the first row and column.
fn shift(x: NodeIndex, graph: &mut GraphBuilder) -> NodeIndex {
    let from_one = |axis| Slice { axis, start: 1, end: None, step: 1 };
    let x = graph.layer(from_one(1), x);
    graph.layer(from_one(2), x)
}
