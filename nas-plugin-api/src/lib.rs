//! What a plugin author needs to write a part of a neural architecture search.

pub mod genotype;
pub mod graph;
pub mod measurement;
pub mod objective;
pub mod trial;
