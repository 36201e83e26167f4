//! The MBConv block of MobileNetV2.

use nas_plugin_api::graph::{Activation, BatchNorm, Conv2d, GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

/// The kernel and the expansion of a block, which its name says (`mbconv_k3_e6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MbConv {
    /// Window of the depthwise convolution, odd.
    pub(crate) kernel: usize,
    /// Channels between expansion and projection, as a multiple of the input's.
    pub(crate) expansion: usize,
}

impl MbConv {
    /// The name of this block as an operation.
    pub(crate) fn name(self) -> String {
        format!("mbconv_k{}_e{}", self.kernel, self.expansion)
    }

    /// The block of this name, where it is one.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (kernel, expansion) = name.strip_prefix("mbconv_k")?.split_once("_e")?;
        let block = Self { kernel: kernel.parse().ok()?, expansion: expansion.parse().ok()? };
        (block.kernel % 2 == 1 && block.expansion > 0 && block.name() == name).then_some(block)
    }

    /// 1×1 expansion, batch norm, ReLU6 (absent at expansion 1); depthwise convolution, batch norm,
    /// ReLU6; 1×1 projection, batch norm; plus the input where it has the shape to return.
    ///
    /// # Shapes
    /// `[c, h, w]` to `[channels, ⌈h/stride⌉, ⌈w/stride⌉]`.
    /// # Source
    /// Sandler et al. MobileNetV2, CVPR 2018, section 3; `mit-han-lab/proxylessnas@bf58b5c`:
    /// search/modules/layers.py `MBInvertedConvLayer`.
    pub(crate) fn build(
        self,
        context: &OperationContext,
        x: NodeIndex,
        graph: &mut GraphBuilder,
    ) -> NodeIndex {
        let expanded = match self.expansion {
            1 => x,
            factor => {
                let channels = factor * graph.shape(x).channels();
                let y = graph.layer(Conv2d::new(channels, 1), x);
                let y = graph.layer(norm(), y);
                graph.layer(Activation::Relu6, y)
            }
        };
        let depthwise = Conv2d::depthwise(self.kernel).stride(context.stride);
        let y = graph.layer(depthwise.padding(self.kernel / 2), expanded);
        let y = graph.layer(norm(), y);
        let y = graph.layer(Activation::Relu6, y);
        let y = graph.layer(Conv2d::new(context.channels(), 1), y);
        let y = graph.layer(norm(), y);
        match keeps_shape(context) {
            true => graph.add(&[x, y]),
            false => y,
        }
    }
}

/// Whether the input already has the shape to return.
pub(crate) fn keeps_shape(context: &OperationContext) -> bool {
    context.stride == 1 && context.inputs.first() == Some(&context.output)
}

/// Affine with running statistics in supernets too.
///
/// # Source
/// search/imagenet_arch_search.py: `bn_momentum` 0.1, `bn_eps` 1e-3.
fn norm() -> BatchNorm {
    BatchNorm { eps: 1e-3, momentum: 0.1, ..BatchNorm::default() }
}
