//! The layers that are not chosen.

use nas_plugin_api::graph::{Activation, BatchNorm, Conv2d, NodeIndex};
use nas_plugin_api::template::TemplateBuilder;

/// Convolution, batch norm, ReLU6.
pub(crate) fn convolution(conv: Conv2d, x: NodeIndex, network: &mut TemplateBuilder) -> NodeIndex {
    let x = network.layer(conv, x);
    let x = network.layer(norm(), x);
    network.layer(Activation::Relu6, x)
}

/// The first block, a depthwise separable convolution: an MBConv of kernel 3 and expansion 1.
///
/// # Source
/// Sandler et al. MobileNetV2, CVPR 2018, table 2; `mit-han-lab/proxylessnas@bf58b5c`:
/// search/models/super_nets/super_proxyless.py. The source adds no shortcut here.
pub(crate) fn first_block(
    channels: usize,
    x: NodeIndex,
    network: &mut TemplateBuilder,
) -> NodeIndex {
    let x = convolution(Conv2d::depthwise(3).padding(1), x, network);
    let x = network.layer(Conv2d::new(channels, 1), x);
    network.layer(norm(), x)
}

/// # Source
/// search/imagenet_arch_search.py: `bn_momentum` 0.1, `bn_eps` 1e-3.
fn norm() -> BatchNorm {
    BatchNorm { eps: 1e-3, momentum: 0.1, ..BatchNorm::default() }
}
