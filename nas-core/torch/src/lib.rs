//! Layer graphs on libtorch: building, training, measuring, and the worker process that does so.
//!
//! The only crate that knows libtorch. It decides nothing about a search: it is told one layer
//! graph and one recipe, and answers with measurements.

pub mod mixture;
pub mod network;
pub mod parameters;
pub mod program;
pub mod rewrite;
pub mod weights;

pub mod augment;
pub mod batches;
pub mod data;
pub mod pixels;
pub mod random;
mod recalibrate;

pub mod checkpoint;
pub mod evaluate;
pub mod kernels;
pub mod latency;
pub mod loss;
pub mod optimizer;
pub mod proxies;
pub mod schedule;
pub mod train;

pub mod allocator;
pub mod limits;
pub mod one_shot;
pub mod supernet;
pub mod trial;
pub mod trial_error;
pub mod worker;

mod layers;
mod plan;
mod trial_log;
