//! The auxiliary head, which gives the lower two thirds of a deep network a loss of their own.

use nas_plugin_api::graph::{Conv2d, NodeIndex, Pool2d};
use nas_plugin_api::template::TemplateBuilder;

/// Extents of the feature map that the head is made for: that of images of 32×32.
const SMALLEST_EXTENT: usize = 8;

/// ReLU, 5×5 mean of stride 3, 1×1 convolution to 128, batch norm, ReLU, 2×2 convolution to 768,
/// batch norm, ReLU, linear. There is none on feature maps smaller than 8×8.
///
/// # Source
/// `quark0/darts@f276dd3`: cnn/model.py `AuxiliaryHeadCIFAR`.
/// Differs: where 8×8 is exceeded, the mean over what is then more than one pixel is read.
pub(crate) fn auxiliary_head(
    classes: usize,
    x: NodeIndex,
    network: &mut TemplateBuilder,
) -> Option<NodeIndex> {
    if network.shape(x).spatial().iter().any(|&extent| extent < SMALLEST_EXTENT) {
        return None;
    }
    let x = network.relu(x);
    let x = network.layer(Pool2d::average(5).stride(3), x);
    let x = network.layer(Conv2d::new(128, 1), x);
    let x = network.batch_norm(x);
    let x = network.relu(x);
    let x = network.layer(Conv2d::new(768, 2), x);
    let x = network.batch_norm(x);
    let x = network.relu(x);
    let x = network.global_avg_pool(x);
    Some(network.linear(classes, x))
}
