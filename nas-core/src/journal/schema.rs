//! The layout of `journal.sqlite`.
//!
//! One table, and two numbers in SQLite's header: who made the file, and the layout's version.

use std::path::Path;

use rusqlite::Connection;

use super::JournalError;

/// Name of the journal in a run's folder.
pub const JOURNAL_FILE: &str = "journal.sqlite";

/// "NASJ", in the place that SQLite keeps for this (`file` shows it).
const APPLICATION_ID: i64 = 0x4e41_534a;

/// The layout that this version writes; a later one has a larger number.
const LAYOUT: i64 = 1;

/// Makes the table in an empty database, and leaves the database in write-ahead mode.
pub(super) fn create(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let sqlite = |error| JournalError::sqlite("make", path, error);
    // Until the write-ahead log is on, a commit is the removal of a rollback journal. EXTRA makes
    // the removal durable: a rollback journal that came back after a power cut would undo all.
    let tables = format!(
        "PRAGMA synchronous = EXTRA;
         BEGIN EXCLUSIVE;
         CREATE TABLE events (
             seq INTEGER PRIMARY KEY,
             time_ms INTEGER NOT NULL,
             body TEXT NOT NULL,
             hash BLOB NOT NULL
         ) STRICT;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {LAYOUT};
         COMMIT;"
    );
    connection.execute_batch(&tables).map_err(sqlite)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sqlite)?;
    match mode.as_str() {
        "wal" => Ok(()),
        _ => Err(JournalError::NoWriteAheadLog { path: path.to_owned(), mode }),
    }
}

/// Prepares a connection for durable appends: a commit returns when its pages are on the disk.
pub(super) fn make_durable(
    connection: &Connection,
    path: &Path,
    checkpoint_pages: u32,
) -> Result<(), JournalError> {
    // The two `fullfsync` matter on macOS only, where a plain fsync leaves data in the drive.
    let settings = format!(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = {checkpoint_pages};"
    );
    connection.execute_batch(&settings).map_err(|error| JournalError::sqlite("open", path, error))
}

/// Whether this is a journal that this version can read.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let number = |pragma: &str| {
        connection
            .query_row(pragma, [], |row| row.get::<_, i64>(0))
            .map_err(|error| JournalError::sqlite("open", path, error))
    };
    if number("PRAGMA application_id")? != APPLICATION_ID {
        return Err(JournalError::NotAJournal { path: path.to_owned() });
    }
    let found = number("PRAGMA user_version")?;
    match found > LAYOUT {
        false => Ok(()),
        true => Err(JournalError::NewerLayout { path: path.to_owned(), found, known: LAYOUT }),
    }
}
