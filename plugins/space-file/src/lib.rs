//! The search space `file`: written by its user in a TOML file, without compiling anything.
//!
//! `examples/spaces` shows the format; [`FileSpace`] describes it.

mod document;
mod file_space;
mod layer;
mod network;
mod value;

pub use file_space::{FileConfig, FileSpace};

nas_plugin_api::export_plugin! { spaces: [FileSpace] }
