//! The batch norm of these operations.

use nas_plugin_api::graph::{BatchNorm, Statistics};
use nas_plugin_api::template::{OperationContext, Role};

/// Without affine parameters and with the batch's own statistics in a supernet, where networks of
/// many shapes share it; affine with running statistics in a final network.
pub(crate) fn norm(context: &OperationContext) -> BatchNorm {
    match context.role {
        Role::Search => {
            BatchNorm { affine: false, statistics: Statistics::Batch, ..BatchNorm::default() }
        }
        Role::Final => BatchNorm::default(),
    }
}
