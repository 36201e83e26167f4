//! The core of the framework: decides, remembers, and never computes a tensor.

pub mod protocol;
