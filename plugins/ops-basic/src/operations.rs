//! The set `basic`: which operations there are.

use nas_plugin_api::component::{Component, OperationInfo, OperationSet};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{GraphBuilder, NodeIndex, Pool2d};
use nas_plugin_api::template::OperationContext;

use crate::convolution::{convolution, normalized_convolution};
use crate::dense::{gelu_mlp, linear};
use crate::identity::identity;
use crate::none::none;
use crate::pool::pool;
use crate::separable_convolution::separable_convolution;

/// Declares an operation that reads one node.
type Declare = fn(&OperationContext, NodeIndex, &mut GraphBuilder) -> NodeIndex;

/// Name, summary and declaration of every operation.
#[rustfmt::skip]
const OPERATIONS: [(&str, &str, Declare); 17] = [
    ("conv_3x3", "3×3 convolution", |context, x, graph| convolution(3, context, x, graph)),
    ("conv_5x5", "5×5 convolution", |context, x, graph| convolution(5, context, x, graph)),
    ("max_pool_3x3", "3×3 maximum", |context, x, graph| pool(Pool2d::max(3), context, x, graph)),
    ("identity", "the input; a projection where the shape changes", identity),
    ("none", "zeros", none),
    ("avg_pool_3x3", "3×3 mean, padding not counted", |context, x, graph| pool(Pool2d::average(3), context, x, graph)),
    ("conv_1x1", "1×1 convolution", |context, x, graph| convolution(1, context, x, graph)),
    ("conv_7x7", "7×7 convolution", |context, x, graph| convolution(7, context, x, graph)),
    ("norm_conv_1x1", "ReLU, 1×1 convolution, batch norm", |context, x, graph| normalized_convolution(1, context, x, graph)),
    ("norm_conv_3x3", "ReLU, 3×3 convolution, batch norm", |context, x, graph| normalized_convolution(3, context, x, graph)),
    ("norm_conv_5x5", "ReLU, 5×5 convolution, batch norm", |context, x, graph| normalized_convolution(5, context, x, graph)),
    ("sep_conv_3x3", "ReLU, 3×3 depthwise, 1×1 convolution, batch norm", |context, x, graph| separable_convolution(3, 1, context, x, graph)),
    ("sep_conv_5x5", "ReLU, 5×5 depthwise, 1×1 convolution, batch norm", |context, x, graph| separable_convolution(5, 1, context, x, graph)),
    ("dil_conv_3x3", "like sep_conv_3x3, taps 2 apart", |context, x, graph| separable_convolution(3, 2, context, x, graph)),
    ("dil_conv_5x5", "like sep_conv_5x5, taps 2 apart", |context, x, graph| separable_convolution(5, 2, context, x, graph)),
    ("linear", "a linear layer; on images, one for all pixels", linear),
    ("gelu_mlp", "two linear layers, four times as wide between, with GELU", gelu_mlp),
];

configuration! {
    /// These operations have nothing to set.
    pub struct BasicOperationsConfig {}
}

/// Plain candidate operations.
///
/// `conv_*` are bare convolutions with bias, so that several on one edge may be computed as one;
/// `norm_conv_*`, `sep_conv_*` and `dil_conv_*` bring their ReLU and batch norm and are what a deep
/// network should be made of.
#[derive(Debug)]
pub struct BasicOperations;

impl Component for BasicOperations {
    const NAME: &'static str = "basic";
    const SUMMARY: &'static str =
        "convolutions, pools, identity, none, separable and dilated convolutions, dense layers";
    type Config = BasicOperationsConfig;
    type Context = ();

    fn create(_: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl OperationSet for BasicOperations {
    fn operations(&self) -> Vec<OperationInfo> {
        OPERATIONS.iter().map(|(name, summary, _)| OperationInfo::new(name, summary)).collect()
    }

    fn build(
        &self,
        operation: &str,
        context: &OperationContext,
        inputs: &[NodeIndex],
        graph: &mut GraphBuilder,
    ) -> Result<NodeIndex, PluginError> {
        let declared = OPERATIONS.iter().find(|(name, ..)| *name == operation);
        match (declared, inputs) {
            (Some((.., declare)), &[x]) => Ok(declare(context, x, graph)),
            _ => Err(PluginError::unsupported(format!(
                "build `{operation}` on {} inputs: the set `basic` has {}, on one input each",
                inputs.len(),
                OPERATIONS.map(|(name, ..)| name).join(", ")
            ))),
        }
    }
}
