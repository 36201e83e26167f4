//! The fixed block between two stages.

use nas_plugin_api::graph::{Conv2d, NodeIndex, Pool2d};
use nas_plugin_api::template::TemplateBuilder;

/// Twice ReLU, 3×3 convolution, batch norm, the first of stride 2; plus a 2×2 mean and a 1×1
/// convolution of the input.
///
/// # Shapes
/// `[c, h, w]` to `[channels, ⌈h/2⌉, ⌈w/2⌉]`.
/// # Source
/// `D-X-Y/AutoDL-Projects@f46486e`: xautodl/models/cell_operations.py `ResNetBasicblock`.
/// Differs: takes odd extents as well, whose first row or column is then a mean's only one.
pub(crate) fn residual_block(
    channels: usize,
    x: NodeIndex,
    network: &mut TemplateBuilder,
) -> NodeIndex {
    let main = [2, 1].into_iter().fold(x, |x, stride| {
        let x = network.relu(x);
        let x = network.layer(Conv2d::new(channels, 3).stride(stride).padding(1), x);
        network.batch_norm(x)
    });
    let mut mean = Pool2d::average(2).stride(2);
    for (padding, extent) in mean.padding.iter_mut().zip(network.shape(x).spatial()) {
        *padding = extent % 2;
    }
    let shortcut = network.layer(mean, x);
    let shortcut = network.layer(Conv2d::new(channels, 1), shortcut);
    network.add(&[main, shortcut])
}
