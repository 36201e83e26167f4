//! Tests of the crate against hand-written libtorch, and of the real worker process.

#![expect(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod batches;
mod curvature;
mod fixtures;
mod inherit;
mod kernels;
mod layers;
mod limits;
mod nb201;
mod nb201_by_hand;
mod network;
mod optimizer;
mod proxies;
mod reference;
mod rewrite;
mod rewrite_spaces;
mod splitmix;
mod supernet;
mod training;
mod weights;
mod worker_process;
