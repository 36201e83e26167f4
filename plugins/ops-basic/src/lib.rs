//! Plain candidate operations, under the set's name `basic`: what most searches start with.
//!
//! An operation is one line in `operations.rs` and one file a family. All of them take images of
//! any size; `identity`, `none`, `linear` and `gelu_mlp` take vectors and sequences as well.

mod convolution;
mod dense;
mod identity;
mod none;
mod operations;
mod pool;
mod separable_convolution;

pub use operations::{BasicOperations, BasicOperationsConfig};

nas_plugin_api::export_plugin! { operations: [BasicOperations] }
