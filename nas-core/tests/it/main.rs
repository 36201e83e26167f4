//! Tests of the core through its public interface.
#![cfg(test)]

mod budget;
mod executor;
mod journal;
mod plugin;
mod search;
