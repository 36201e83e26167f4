//! The set `nb201`: which operations there are, in the published order.

use nas_plugin_api::component::{Component, OperationInfo, OperationSet};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{GraphBuilder, NodeIndex};
use nas_plugin_api::template::OperationContext;

use crate::average_pool::average_pool;
use crate::none::none;
use crate::relu_conv_norm::relu_conv_norm;
use crate::skip_connect::skip_connect;

/// Declares an operation that reads one node.
type Declare = fn(&OperationContext, NodeIndex, &mut GraphBuilder) -> NodeIndex;

/// Name, summary and declaration of every operation. A genotype's digits count in this order.
#[rustfmt::skip]
const OPERATIONS: [(&str, &str, Declare); 5] = [
    ("none", "zeros", none),
    ("skip_connect", "identity; a factorised reduction where the shape changes", skip_connect),
    ("nor_conv_1x1", "ReLU, 1×1 convolution, batch norm", |context, x, graph| relu_conv_norm(1, context, x, graph)),
    ("nor_conv_3x3", "ReLU, 3×3 convolution, batch norm", |context, x, graph| relu_conv_norm(3, context, x, graph)),
    ("avg_pool_3x3", "3×3 mean, padding not counted", average_pool),
];

configuration! {
    /// The published operations have nothing to set.
    pub struct Nb201OperationsConfig {}
}

/// The candidate operations of NAS-Bench-201.
///
/// In a supernet, batch norms have no affine parameters and keep no statistics, and convolutions
/// have a bias instead; in a final network, as in the table, it is the other way round.
///
/// # Source
/// Dong, Yang. NAS-Bench-201, ICLR 2020, section 2.1; `D-X-Y/AutoDL-Projects@f46486e`:
/// xautodl/models/cell_operations.py. The cells only use stride 1; strides follow the source too.
#[derive(Debug)]
pub struct Nb201Operations;

impl Component for Nb201Operations {
    const NAME: &'static str = "nb201";
    const SUMMARY: &'static str =
        "the five operations of NAS-Bench-201: none, skip, two convolutions, average pool";
    type Config = Nb201OperationsConfig;
    type Context = ();

    fn create(_: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl OperationSet for Nb201Operations {
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
                "build `{operation}` on {} inputs: the set `nb201` has {}, on one input each",
                inputs.len(),
                OPERATIONS.map(|(name, ..)| name).join(", ")
            ))),
        }
    }
}
