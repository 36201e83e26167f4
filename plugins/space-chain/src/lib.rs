//! The search space `chain`: cells of sequential mixed operations, the smallest space on which
//! every strategy runs.

mod chain;

pub use chain::{ChainConfig, ChainSpace};

nas_plugin_api::export_plugin! { spaces: [ChainSpace] }
