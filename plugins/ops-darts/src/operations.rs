//! The set `darts`: which operations there are, in the published order.

use nas_plugin_api::component::{Component, OperationInfo, OperationSet};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{GraphBuilder, Layer, NodeIndex, Pool2d};
use nas_plugin_api::template::{OperationContext, Role};

use crate::dilated_convolution::dilated_convolution;
use crate::none::none;
use crate::pool::pool;
use crate::separable_convolution::separable_convolution;
use crate::skip_connect::{is_identity, skip_connect};

/// Declares an operation that reads one node.
type Declare = fn(&OperationContext, NodeIndex, &mut GraphBuilder) -> NodeIndex;

/// Name, summary and declaration of every operation, in the order of the published `PRIMITIVES`.
#[rustfmt::skip]
const OPERATIONS: [(&str, &str, Declare); 8] = [
    ("none", "zeros", none),
    ("max_pool_3x3", "3×3 maximum", |context, x, graph| pool(Pool2d::max(3), context, x, graph)),
    ("avg_pool_3x3", "3×3 mean, padding not counted", |context, x, graph| pool(Pool2d::average(3), context, x, graph)),
    ("skip_connect", "identity; a factorised reduction where the shape changes", skip_connect),
    ("sep_conv_3x3", "3×3 depthwise separable convolution, twice", |context, x, graph| separable_convolution(3, context, x, graph)),
    ("sep_conv_5x5", "5×5 depthwise separable convolution, twice", |context, x, graph| separable_convolution(5, context, x, graph)),
    ("dil_conv_3x3", "3×3 dilated depthwise separable convolution", |context, x, graph| dilated_convolution(3, context, x, graph)),
    ("dil_conv_5x5", "5×5 dilated depthwise separable convolution", |context, x, graph| dilated_convolution(5, context, x, graph)),
];

configuration! {
    /// The published operations have nothing to set.
    pub struct DartsOperationsConfig {}
}

/// The candidate operations of DARTS.
///
/// In a supernet, batch norms have no affine parameters and use the batch's statistics, and one
/// stands behind each pool. In a final network they are affine, pools stand alone, and whatever
/// changes its input may be dropped with its path.
///
/// # Source
/// Liu, Simonyan, Yang. DARTS, ICLR 2019; `quark0/darts@f276dd3`: cnn/operations.py,
/// cnn/model_search.py, cnn/model.py.
#[derive(Debug)]
pub struct DartsOperations;

impl Component for DartsOperations {
    const NAME: &'static str = "darts";
    const SUMMARY: &'static str =
        "the eight operations of DARTS: separable and dilated convolutions, pools, skip";
    type Config = DartsOperationsConfig;
    type Context = ();

    fn create(_: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl OperationSet for DartsOperations {
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
        let (Some((name, _, declare)), &[x]) = (declared, inputs) else {
            return Err(PluginError::unsupported(format!(
                "build `{operation}` on {} inputs: the set `darts` has {}, on one input each",
                inputs.len(),
                OPERATIONS.map(|(name, ..)| name).join(", ")
            )));
        };
        let output = declare(context, x, graph);
        Ok(match context.role == Role::Final && may_drop(name, context) {
            true => graph.layer(Layer::DropPath, output),
            false => output,
        })
    }
}

/// Whether an operation's path may be dropped in training: all but identities (and zeros).
fn may_drop(operation: &str, context: &OperationContext) -> bool {
    match operation {
        "none" => false,
        "skip_connect" => !is_identity(context),
        _ => true,
    }
}
