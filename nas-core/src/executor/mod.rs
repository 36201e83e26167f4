//! Where trials are computed: one message down, events up.
//!
//! The search loop sees [`Executor`] and nothing else. [`LocalExecutor`] keeps worker processes on
//! this machine and enforces each trial's hard limits; [`BenchmarkExecutor`] looks results up;
//! [`InstantExecutor`] answers at once, for tests and measurements of the loop. Nothing here decides what is evaluated, nor what a result is worth.

mod benchmark;
mod completion;
mod confinement;
mod data_cache;
mod error;
mod guard;
mod instant;
mod interface;
mod job;
mod local;
mod local_options;
mod meter;
mod overseer;
mod pipes;
mod process;
mod reap;
mod search_worker;
mod task;
mod trial_log;
mod worker;
mod worker_log;

pub use benchmark::{BenchmarkExecutor, holdout_of};
pub use completion::{Completion, Crash, Ended, Exit, Phase, TrialFailure, Update};
pub use confinement::{Attempt, Confinement, WorkerBounds};
pub use data_cache::{DataCache, prepare_data};
pub use error::ExecutorError;
pub use instant::InstantExecutor;
pub use interface::Executor;
pub use job::Job;
pub use local::{LocalExecutor, worker_program};
pub use local_options::LocalOptions;
pub use meter::POLL_INTERVAL;
pub use search_worker::{SearchUpdate, SearchWorker, SearchWorkerOptions};
pub use task::{prepare_splits, run_audit};
pub use trial_log::trial_log;
pub(crate) use trial_log::trials_folder;
