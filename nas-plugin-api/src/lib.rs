//! What a plugin author needs to write a part of a neural architecture search: the data model, one
//! trait per kind of component, and [`export_plugin!`].
//!
//! A plugin is ordinary Rust. It depends on this crate alone, never on libtorch, and it sees no
//! type of the binary interface: adapters in this crate turn answers into what crosses between
//! libraries and back.
//!
//! This crate opens no files, starts no threads and knows no tensors.

extern crate self as nas_plugin_api;

pub mod component;
pub mod error;
pub mod genotype;
pub mod graph;
pub mod measurement;
pub mod objective;
pub mod template;
pub mod trial;
pub mod verdict;

pub use {inventory, schemars, serde, serde_json};
