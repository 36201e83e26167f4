//! What is left to a contained process.

use std::path::{Path, PathBuf};

/// What is left to a contained process: memory, threads and clocks of its own, pipes that are open,
/// and what is named here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Files and folders that it may read, besides the system's libraries.
    pub readable: Vec<PathBuf>,
    /// Address space, in bytes; without libtorch, that is a limit of memory.
    pub address_space_bytes: u64,
    /// Whether it may start threads, which go on between calls.
    pub threads: bool,
    /// Processor seconds, after which the kernel kills it; `None` for as many as it likes.
    pub cpu_seconds: Option<u64>,
}

impl Bounds {
    /// Enough to load a library and to call a component of it, which does nothing between calls.
    #[must_use]
    pub fn of_component(library: &Path) -> Self {
        let readable = vec![library.to_owned()];
        Self { readable, address_space_bytes: 1 << 30, threads: false, cpu_seconds: None }
    }

    /// Enough to load a library and to be asked what is in it.
    #[must_use]
    pub fn of_probe(library: &Path) -> Self {
        // Longer than the parent waits: it only matters where the parent was stopped.
        Self { threads: true, cpu_seconds: Some(10), ..Self::of_component(library) }
    }
}
