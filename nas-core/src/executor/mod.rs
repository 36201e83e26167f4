//! Where trials are computed: one message down, events up.
//!
//! The search loop sees [`Executor`] and nothing else. [`LocalExecutor`] keeps worker processes on
//! this machine and enforces each trial's hard limits; [`InstantExecutor`] answers at once, for
//! tests and benchmarks. Nothing here decides what is evaluated, nor what a result is worth.

mod completion;
mod error;
mod instant;
mod interface;
mod job;

pub use completion::{Completion, Crash, Ended, Exit, Phase, TrialFailure, Update};
pub use error::ExecutorError;
pub use instant::InstantExecutor;
pub use interface::Executor;
pub use job::Job;
