//! Why no further trial can be computed.

use std::io;
use std::path::PathBuf;

/// An executor, or a worker for one task, failed to do its part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// Workers die again and again before their first trial.
    #[error("keep a worker alive: {deaths} died in a row while being set up; the last {message}")]
    WorkersFailed {
        /// How many died in a row.
        deaths: u32,
        /// How the last one died, with what it wrote to standard error.
        message: String,
    },
    /// A worker says that its first message can't be obeyed; another one would say the same.
    #[error("set a worker up: {message}")]
    Refused {
        /// What is wrong and what to do.
        message: String,
    },
    /// The worker's program is nowhere.
    #[error(
        "find the worker program `{}`: build it (`make build`), or name it in NAS_WORKER",
        path.display()
    )]
    NoWorker {
        /// Where it should be.
        path: PathBuf,
    },
    /// The worker's program does not start.
    #[error("start the worker `{}`: {source}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A worker for one task died.
    #[error("{task}: the worker {message}")]
    Died {
        /// What it was to do (`prepare the data`).
        task: &'static str,
        /// How it died, with what it wrote to standard error.
        message: String,
    },
    /// A worker for one task was killed at a limit, or reports that it could not do it.
    #[error("{task}: {message}")]
    Task {
        /// What it was to do (`prepare the data`).
        task: &'static str,
        /// What happened.
        message: String,
    },
    /// A benchmark can't say what was asked.
    #[error("{message}")]
    Benchmark {
        /// What happened, and what to do.
        message: String,
    },
    /// It was stopped, or has told before why it can't go on.
    #[error("use an executor that was stopped")]
    Stopped,
    /// A file of the executor's own.
    #[error("{what} `{}`: {source}", path.display())]
    File {
        /// What was tried (`create the folder`).
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
