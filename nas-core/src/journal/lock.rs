//! One supervisor per run.
//!
//! SQLite's own exclusive mode would lock out readers too, so the lock is on a file of its own. The
//! system gives it back when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::JournalError;

/// Name of the lock file in a run's folder; it stays there, and says nothing by being there.
pub(super) const LOCK_FILE: &str = "supervisor.lock";

/// The right to write a run's journal, until it is dropped.
#[derive(Debug)]
pub(super) struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock, and leaves this process' number for others to read.
    ///
    /// # Errors
    /// [`JournalError::InUse`] while another supervisor has it.
    pub(super) fn take(folder: &Path) -> Result<Self, JournalError> {
        let path = folder.join(LOCK_FILE);
        let io = |doing| {
            let path = path.clone();
            move |error| JournalError::io(doing, &path, error)
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let process = file.read_to_string(&mut text).ok().and_then(|_| text.parse().ok());
                return Err(JournalError::InUse { folder: folder.to_owned(), process });
            }
            Err(TryLockError::Error(error)) => return Err(io("lock")(error)),
        }
        file.set_len(0).map_err(io("write"))?;
        file.rewind().map_err(io("write"))?;
        write!(file, "{}", std::process::id()).map_err(io("write"))?;
        Ok(Self { _file: file })
    }
}
