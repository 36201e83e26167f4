//! Tests of the core through its public interface.
#![cfg(test)]

mod bench;
mod budget;
mod executor;
mod journal;
mod plugin;
mod search;
