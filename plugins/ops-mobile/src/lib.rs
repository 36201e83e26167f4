//! The candidate operations of ProxylessNAS, under the set's name `mobile`: MBConv blocks of
//! several kernels and expansions, and a skip.
//!
//! Spaces decide where operations go; this crate only declares them.

mod mbconv;
mod operations;

pub use operations::{MobileOperations, MobileOperationsConfig};

nas_plugin_api::export_plugin! { operations: [MobileOperations] }
