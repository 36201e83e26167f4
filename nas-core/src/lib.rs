//! The core of the framework: decides, remembers, and never computes a tensor.

pub mod budget;
pub mod executor;
pub mod journal;
pub mod network;
pub mod protocol;
pub mod settings;
