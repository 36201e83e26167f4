//! The search space `nb201`: one cell of six edges, repeated in three stages.

mod nb201;
mod residual_block;

pub use nb201::{Nb201Config, Nb201Space};

nas_plugin_api::export_plugin! { spaces: [Nb201Space] }
