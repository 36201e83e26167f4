//! What a worker is left with.

use std::path::{Path, PathBuf};

use crate::protocol::Setup;

/// What a worker is left with besides its pipes, the system's libraries, what the system says of
/// itself (`/proc`, `/sys`, `/etc`), and its own threads and memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerBounds {
    /// Files and folders that it may read.
    pub readable: Vec<PathBuf>,
    /// Files and folders that it may read, write, make and remove; those that are not there yet
    /// don't count.
    pub writable: Vec<PathBuf>,
    /// Whether it may use a GPU: NVIDIA's device files, shared memory, CUDA's cache, and sockets
    /// within this machine.
    pub gpu: bool,
    /// Size of the largest file that it may write, in bytes.
    pub file_bytes: Option<u64>,
}

impl WorkerBounds {
    /// Enough to be set up, and to write nothing.
    #[must_use]
    pub fn of(setup: &Setup) -> Self {
        let splits = setup.train.iter().chain([&setup.evaluation]);
        Self {
            readable: splits.cloned().collect(),
            gpu: setup.device.starts_with("cuda"),
            ..Self::default()
        }
    }

    /// The same, and this may be read.
    #[must_use]
    pub fn reading(mut self, path: &Path) -> Self {
        self.readable.push(path.to_owned());
        self
    }

    /// The same, and this may be written.
    #[must_use]
    pub fn writing(mut self, path: &Path) -> Self {
        self.writable.push(path.to_owned());
        self
    }

    /// The same, and no file may become larger than this.
    #[must_use]
    pub fn with_files_of(mut self, bytes: u64) -> Self {
        self.file_bytes = Some(bytes);
        self
    }
}
