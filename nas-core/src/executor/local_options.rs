//! How trials are computed on this machine.

use std::path::PathBuf;

use super::WorkerBounds;
use crate::protocol::Setup;

/// How a [`LocalExecutor`](super::LocalExecutor) works.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// The worker's program ([`worker_program`](super::worker_program)).
    pub program: PathBuf,
    /// Most workers at once, at least 1.
    pub workers: usize,
    /// What each worker is set up with.
    pub setup: Setup,
    /// What each worker is left with; everything that the supervisor itself may do where absent.
    pub bounds: Option<WorkerBounds>,
    /// The file to which the workers' standard error is appended, if to any.
    pub log: Option<PathBuf>,
    /// Longest that the set-up of a worker may take, in seconds.
    pub start_seconds: f64,
}
