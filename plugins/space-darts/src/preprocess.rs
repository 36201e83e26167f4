//! What brings a cell's inputs to its channels and resolution.

use nas_plugin_api::graph::{BatchNorm, Conv2d, NodeIndex, Slice, Statistics};
use nas_plugin_api::template::{Role, TemplateBuilder};

/// ReLU, 1×1 convolution, batch norm; a factorised reduction on an input of a higher resolution,
/// which is the older one when the previous cell was a reduction.
///
/// # Source
/// `quark0/darts@f276dd3`: cnn/model_search.py and cnn/model.py `Cell`, cnn/operations.py.
/// Differs: the factorised reduction takes odd extents too, as the operation in `ops-darts` does.
pub(crate) fn preprocess(
    channels: usize,
    resolution: &[usize],
    role: Role,
    x: NodeIndex,
    network: &mut TemplateBuilder,
) -> NodeIndex {
    let x = match network.shape(x).spatial() == resolution {
        true => {
            let x = network.relu(x);
            network.layer(Conv2d::new(channels, 1), x)
        }
        false => factorized_reduce(channels, x, network),
    };
    network.layer(norm(role), x)
}

/// ReLU, then two 1×1 convolutions of stride 2 with half the channels each, side by side, the
/// second on the input shifted by one pixel.
fn factorized_reduce(channels: usize, x: NodeIndex, network: &mut TemplateBuilder) -> NodeIndex {
    let halve = |channels| Conv2d::new(channels, 1).stride(2);
    let x = network.relu(x);
    let first = network.layer(halve(channels / 2), x);
    let second = halve(channels - channels / 2);
    let is_even = network.shape(x).spatial().iter().all(|extent| extent.is_multiple_of(2));
    let second = if is_even {
        let x = shift(x, network);
        network.layer(second, x)
    } else {
        // Behind a border of zeros the odd pixels are the even ones: shift the result instead.
        let x = network.layer(second.padding(1), x);
        shift(x, network)
    };
    network.concat(&[first, second])
}

/// Drops the first row and column.
fn shift(x: NodeIndex, network: &mut TemplateBuilder) -> NodeIndex {
    let from_one = |axis| Slice { axis, start: 1, end: None, step: 1 };
    let x = network.layer(from_one(1), x);
    network.layer(from_one(2), x)
}

/// Without affine parameters in a supernet, as every batch norm in its cells.
fn norm(role: Role) -> BatchNorm {
    match role {
        Role::Search => {
            BatchNorm { affine: false, statistics: Statistics::Batch, ..BatchNorm::default() }
        }
        Role::Final => BatchNorm::default(),
    }
}
