//! The search space `darts`: a normal and a reduction cell, whose nodes keep their strongest
//! incoming edges.

mod auxiliary_head;
mod cell;
mod darts;
mod preprocess;

pub use darts::{DartsConfig, DartsSpace};

nas_plugin_api::export_plugin! { spaces: [DartsSpace] }
