//! What can be wrong with a journal.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a journal can't be made, opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is none.
    #[error("find a journal in `{}`: there is no `journal.sqlite`, so this is not a run's folder",
            folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// A new one would replace it.
    #[error("make a journal in `{}`: it has one already; resume that run or use another folder",
            folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// Another supervisor has it.
    #[error("take up the run in `{}`: {} is working on it", folder.display(), holder(*process))]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The supervisor's process number, if it left one.
        process: Option<u32>,
    },
    /// Another program keeps the database locked.
    #[error("write `{}`: another program keeps it locked", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Not SQLite, or another program's database.
    #[error("read `{}`: it is not the journal of a run", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// Made by a later version.
    #[error(
        "read `{}`: its layout has number {found}, and this version knows {known}; use the version \
         of the framework that wrote it, or a later one",
        path.display()
    )]
    NewerLayout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout that this version knows.
        known: i64,
    },
    /// Nothing may be written there.
    #[error("write `{}`: it is read-only for this user", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// No room.
    #[error(
        "write `{}`: the disk is full; everything before is kept, make room and resume",
        path.display()
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file system lacks what crash safety needs.
    #[error(
        "make `{}` safe against crashes: the file system does not support write-ahead logging \
         (journal mode `{mode}`); use a local disk",
        path.display()
    )]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The mode that SQLite fell back to.
        mode: String,
    },
    /// SQLite finds its own structures broken.
    #[error("read `{}`: the file is damaged ({message})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// An event is not the one that was written.
    #[error("verify `{}`: event {seq} {fault}", path.display())]
    BrokenChain {
        /// The file.
        path: PathBuf,
        /// The first event that is wrong.
        seq: u64,
        /// What is wrong with it.
        fault: ChainFault,
    },
    /// An intact event that this version can't understand.
    #[error(
        "understand event {seq} of `{}`: {message}; it was written by another version of the \
         framework",
        path.display()
    )]
    UnknownEvent {
        /// The file.
        path: PathBuf,
        /// The event.
        seq: u64,
        /// What the parser says.
        message: String,
    },
    /// An event can't be written as text.
    #[error("write an event as JSON: {message}")]
    Encode {
        /// What the writer says.
        message: String,
    },
    /// An earlier append failed, so nothing may follow.
    #[error("write `{}`: writing failed before, and nothing may follow a gap", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that the system says.
    #[error("{doing} `{}`: {source}", path.display())]
    Io {
        /// What was tried (`lock`, `sync`).
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Anything else that SQLite says.
    #[error("{doing} `{}`: {source}", path.display())]
    Sqlite {
        /// What was tried (`open`, `append to`).
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// What is wrong with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Its text, its time, its hash or one before it was changed.
    #[error("does not have the hash that it was written with: it, or its hash, was changed")]
    Changed,
    /// The number before it is missing.
    #[error("is missing, but later ones are there")]
    Missing,
    /// A column has another type than was written.
    #[error("is not stored in the form in which it was written")]
    Malformed,
}

fn holder(process: Option<u32>) -> String {
    match process {
        Some(number) => format!("process {number}"),
        None => "another process".to_owned(),
    }
}

impl JournalError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { doing, path, source },
        }
    }

    pub(super) fn sqlite(doing: &'static str, path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::NotADatabase) => Self::NotAJournal { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, message: source.to_string() },
            _ => Self::Sqlite { doing, path, source },
        }
    }
}
