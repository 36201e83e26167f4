//! Search spaces.

use crate::component::OperationInfo;
use crate::error::PluginError;
use crate::template::{Scale, Template};

/// Yields the template of a family of networks.
pub trait SearchSpace: Send {
    /// The template at this scale, over these operations.   \[configured\]
    ///
    /// Choice ids must not depend on the scale. A space may use all operations or some of them; it
    /// refuses operations that it can't use.
    ///
    /// # Errors
    /// A scale or a set of operations for which the space has no networks.
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError>;
}
