//! The set `mobile`: which operations there are.

use nas_plugin_api::component::{Component, OperationInfo, OperationSet};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{GraphBuilder, Layer, NodeIndex};
use nas_plugin_api::template::OperationContext;

use crate::mbconv::{MbConv, keeps_shape};

/// The operation that passes its input on.
const SKIP: &str = "skip";

configuration! {
    /// Which blocks the set `mobile` has.
    pub struct MobileOperationsConfig {
        /// Windows of the depthwise convolutions, odd.
        pub kernels: Vec<usize> = [3, 5, 7],
        /// Channels within a block, as multiples of its input's; 1 leaves the expansion out
        /// (`mbconv_k3_e1` is the first block of MobileNetV2).
        pub expansions: Vec<usize> = [3, 6],
        /// Whether there is a `skip`, which leaves a block out.
        pub skip: bool = true,
    }
}

/// MBConv blocks of every kernel and expansion, named `mbconv_k3_e6`, and `skip`, in the published
/// order.
///
/// Blocks are the same in supernets and final networks.
///
/// # Source
/// Cai, Zhu, Han. ProxylessNAS, ICLR 2019, section 4.2; `mit-han-lab/proxylessnas@bf58b5c`:
/// search/imagenet_arch_search.py, search/modules/layers.py.
/// Differs: the source's `Zero` leaves the shortcut around it, so `skip` is the identity here.
#[derive(Debug)]
pub struct MobileOperations {
    blocks: Vec<MbConv>,
    skip: bool,
}

impl Component for MobileOperations {
    const NAME: &'static str = "mobile";
    const SUMMARY: &'static str = "MBConv blocks of kernels 3, 5, 7 and expansions 3, 6; skip";
    type Config = MobileOperationsConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        let blocks: Vec<MbConv> = config
            .kernels
            .iter()
            .flat_map(|&kernel| config.expansions.iter().map(move |&e| (kernel, e)))
            .map(|(kernel, expansion)| MbConv { kernel, expansion })
            .collect();
        if let Some(block) = blocks.iter().find(|block| MbConv::parse(&block.name()).is_none()) {
            return Err(PluginError::configuration(format!(
                "offer `{}`: kernels are odd and expansions at least 1",
                block.name()
            )));
        }
        if let Some(block) = repeated(&blocks) {
            let message = format!("offer `{}` twice", block.name());
            return Err(PluginError::configuration(message)
                .with_help("name each kernel and each expansion once"));
        }
        Ok(Self { blocks, skip: config.skip })
    }
}

impl OperationSet for MobileOperations {
    fn operations(&self) -> Vec<OperationInfo> {
        let block = |block: &MbConv| {
            let (kernel, expansion) = (block.kernel, block.expansion);
            let summary = format!("MBConv, kernel {kernel}×{kernel}, expansion {expansion}");
            OperationInfo::new(&block.name(), &summary)
        };
        let skip = self.skip.then(|| OperationInfo::new(SKIP, "identity: the block is left out"));
        self.blocks.iter().map(block).chain(skip).collect()
    }

    fn build(
        &self,
        operation: &str,
        context: &OperationContext,
        inputs: &[NodeIndex],
        graph: &mut GraphBuilder,
    ) -> Result<NodeIndex, PluginError> {
        match (MbConv::parse(operation), inputs) {
            (Some(block), &[x]) => Ok(block.build(context, x, graph)),
            (None, &[x]) if operation == SKIP && keeps_shape(context) => {
                Ok(graph.layer(Layer::Identity, x))
            }
            (None, &[_]) if operation == SKIP => Err(PluginError::unsupported(format!(
                "build `skip` at stride {} from {} to {}: it keeps its input's shape",
                context.stride,
                context.inputs.first().cloned().unwrap_or_default(),
                context.output
            ))
            .with_help("offer `skip` only where stride is 1 and the channels stay")),
            _ => Err(PluginError::unsupported(format!(
                "build `{operation}` on {} inputs: the set `mobile` has {SKIP} and blocks like \
                 mbconv_k3_e6, on one input each",
                inputs.len()
            ))),
        }
    }
}

/// A block that is there twice.
fn repeated(blocks: &[MbConv]) -> Option<&MbConv> {
    blocks
        .iter()
        .enumerate()
        .find(|(i, block)| blocks[..*i].contains(block))
        .map(|(_, block)| block)
}
