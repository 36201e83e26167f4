//! The cost of one layer.

use nas_plugin_api::graph::{Groups, Layer, Shape};
use nas_plugin_api::measurement::Cost;

/// Bytes of a 32-bit float.
const FLOAT_BYTES: u64 = 4;

/// What one layer costs, given the shapes of its inputs and of its output.
///
/// `depth` is 1 for convolutions, linear layers and embeddings, and 0 for everything else.
#[must_use]
pub fn layer_cost(layer: &Layer, inputs: &[&Shape], output: &Shape) -> Cost {
    let input = inputs.first();
    let (parameters, multiply_adds) = match layer {
        Layer::Conv1d(conv) => {
            convolution(input, output, conv.kernel as u64, conv.groups, conv.bias)
        }
        Layer::Conv2d(conv) => {
            let window = conv.kernel.iter().map(|&extent| extent as u64).product();
            convolution(input, output, window, conv.groups, conv.bias)
        }
        Layer::Linear(linear) => {
            let features = input.and_then(|shape| shape.0.last()).map_or(0, |&f| f as u64);
            let out_features = linear.out_features as u64;
            let rows = output.elements() as u64 / out_features.max(1);
            let bias = if linear.bias { out_features } else { 0 };
            (features * out_features + bias, rows * features * out_features)
        }
        Layer::BatchNorm(norm) => (affine(norm.affine, output.channels()), 0),
        Layer::GroupNorm(norm) => (affine(norm.affine, output.channels()), 0),
        Layer::LayerNorm(norm) => (affine(norm.affine, output.0.last().copied().unwrap_or(0)), 0),
        Layer::Embedding(embedding) => (embedding.vocabulary as u64 * embedding.features as u64, 0),
        Layer::MatMul(_) => {
            let inner = input.and_then(|shape| shape.0.last()).map_or(0, |&extent| extent as u64);
            (0, output.elements() as u64 * inner)
        }
        _ => (0, 0),
    };
    let is_deep = matches!(
        layer,
        Layer::Conv1d(_) | Layer::Conv2d(_) | Layer::Linear(_) | Layer::Embedding(_)
    );
    let makes_nothing = matches!(layer, Layer::Identity | Layer::Input { .. });
    let elements = if makes_nothing { 0 } else { output.elements() as u64 };
    Cost {
        parameters,
        multiply_adds,
        activation_bytes: elements * FLOAT_BYTES,
        depth: u32::from(is_deep),
    }
}

fn convolution(
    input: Option<&&Shape>,
    output: &Shape,
    window: u64,
    groups: Groups,
    bias: bool,
) -> (u64, u64) {
    let in_channels = input.map_or(0, |shape| shape.channels()) as u64;
    let per_output = match groups {
        Groups::Depthwise => window,
        Groups::Count(groups) => in_channels / (groups.max(1) as u64) * window,
    };
    let out_channels = output.channels() as u64;
    let biases = if bias { out_channels } else { 0 };
    (out_channels * per_output + biases, output.elements() as u64 * per_output)
}

fn affine(affine: bool, channels: usize) -> u64 {
    if affine { 2 * channels as u64 } else { 0 }
}
