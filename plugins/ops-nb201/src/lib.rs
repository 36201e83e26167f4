//! The five candidate operations of NAS-Bench-201, under the set's name `nb201`.
//!
//! An operation is one line in `operations.rs` and one file. Spaces decide where operations go;
//! this crate only declares them.

mod average_pool;
mod none;
mod operations;
mod relu_conv_norm;
mod skip_connect;

pub use operations::{Nb201Operations, Nb201OperationsConfig};

nas_plugin_api::export_plugin! { operations: [Nb201Operations] }
