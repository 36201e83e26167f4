//! Sets of candidate operations.

use serde::{Deserialize, Serialize};

use crate::error::PluginError;
use crate::graph::{GraphBuilder, NodeIndex};
use crate::template::OperationContext;

/// Names candidate operations and declares each one's layer graph.
///
/// Nothing of it runs while networks are trained: the core asks once per operation and context.
pub trait OperationSet: Send {
    /// The operations, in the order in which mixtures list them.
    fn operations(&self) -> Vec<OperationInfo>;

    /// Declares an operation for a context.   \[configured\]
    ///
    /// # Shapes
    /// `inputs` are the nodes that it reads, of shapes `context.inputs`; the node returned must
    /// have shape `context.output`.
    /// # Errors
    /// The operation does not exist or is impossible in this context.
    fn build(
        &self,
        operation: &str,
        context: &OperationContext,
        inputs: &[NodeIndex],
        graph: &mut GraphBuilder,
    ) -> Result<NodeIndex, PluginError>;
}

/// An operation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationInfo {
    /// Its name (`sep_conv_3x3`): letters, digits and `_`.
    pub name: String,
    /// What it is, in one line.
    pub summary: String,
}

impl OperationInfo {
    /// An operation in a list.
    #[must_use]
    pub fn new(name: &str, summary: &str) -> Self {
        Self { name: name.to_owned(), summary: summary.to_owned() }
    }
}
