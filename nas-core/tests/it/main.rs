//! Tests of the core through its public interface.

mod executor;
mod plugin;
mod search;
