//! The core of the framework: decides, remembers, and never computes a tensor.

pub mod bench;
pub mod budget;
pub mod containment;
pub mod controls;
pub mod digest;
pub mod executor;
pub mod journal;
pub mod launch;
pub mod machine;
mod minisign;
pub mod network;
pub mod one_shot;
pub mod organisation;
pub mod plugin;
pub mod protocol;
pub mod search;
pub mod settings;
pub mod time_span;
