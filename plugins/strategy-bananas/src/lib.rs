//! `bananas`: an ensemble of small neural networks predicts how good a network is from its paths.

mod bananas;
mod path_encoding;
mod predictor;

pub use bananas::{Bananas, BananasConfig};

nas_plugin_api::export_plugin! { strategies: [Bananas] }
