//! Tests of the crate against hand-written libtorch, and of the real worker process.

mod batches;
mod fixtures;
mod layers;
mod limits;
mod nb201;
mod nb201_by_hand;
mod network;
mod optimizer;
mod rewrite;
mod training;
mod weights;
mod worker_process;
