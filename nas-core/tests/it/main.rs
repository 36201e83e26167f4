//! Tests of the core through its public interface.

mod budget;
mod executor;
mod journal;
mod plugin;
mod search;
