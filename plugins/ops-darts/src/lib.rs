//! The eight candidate operations of DARTS, under the set's name `darts`.
//!
//! An operation is one line in `operations.rs` and one file. Spaces decide where operations go;
//! this crate only declares them.

mod dilated_convolution;
mod factorized_reduce;
mod none;
mod norm;
mod operations;
mod pool;
mod separable_convolution;
mod skip_connect;

pub use operations::{DartsOperations, DartsOperationsConfig};

nas_plugin_api::export_plugin! { operations: [DartsOperations] }
