//! What a plugin author needs to write a part of a neural architecture search: the data model, one
//! trait per kind of component, and [`export_plugin!`].
//!
//! A plugin is ordinary Rust. It depends on this crate alone, never on libtorch, and it sees no
//! type of the binary interface: adapters in this crate turn answers into what crosses between
//! libraries and back.
//!
//! This crate opens no files, starts no threads and knows no tensors.

extern crate self as nas_plugin_api;

pub mod adapter;
pub mod component;
pub mod error;
#[doc(hidden)]
pub mod export;
pub mod genotype;
pub mod graph;
pub mod measurement;
pub mod objective;
pub mod template;
pub mod toolkit;
pub mod trial;
pub mod verdict;

/// The frozen types behind the adapters; for the host and for [`export_plugin!`].
#[doc(hidden)]
pub use nas_plugin_abi as abi;
pub use {inventory, schemars, serde, serde_json};
