//! Appending to a journal.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::chain::Head;
use super::lock::RunLock;
use super::reader::{JournalReader, existing};
use super::schema::{self, JOURNAL_FILE};
use super::{Event, EventLog, JournalError, event_json};
use crate::budget::Clock;

/// Pages in the write-ahead log at which it is moved into the file; SQLite's own number.
const CHECKPOINT_PAGES: u32 = 1000;

/// The journal of a run, in the hands of its one supervisor.
pub struct Journal {
    reader: JournalReader,
    head: Head,
    clock: Arc<dyn Clock>,
    /// Room for one event's text, used again and again.
    text: Vec<u8>,
    is_closed: bool,
    _lock: RunLock,
}

impl Journal {
    /// Makes the journal of a new run in its folder, which must exist.
    ///
    /// # Errors
    /// A journal is there already, or the folder can't be written.
    pub fn create(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        Self::create_on(folder, clock, None, CHECKPOINT_PAGES)
    }

    /// The same on another of SQLite's storage layers, and with another number of pages at which
    /// the log is moved into the file: for tests.
    #[doc(hidden)]
    pub fn create_with_vfs(
        folder: &Path,
        clock: Arc<dyn Clock>,
        vfs: &str,
        checkpoint_pages: u32,
    ) -> Result<Self, JournalError> {
        Self::create_on(folder, clock, Some(vfs), checkpoint_pages)
    }

    fn create_on(
        folder: &Path,
        clock: Arc<dyn Clock>,
        vfs: Option<&str>,
        checkpoint_pages: u32,
    ) -> Result<Self, JournalError> {
        let lock = RunLock::take(folder)?;
        let path = folder.join(JOURNAL_FILE);
        if path.exists() {
            return Err(JournalError::Exists { folder: folder.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_CREATE | READ_WRITE;
        let connection = connect(&path, flags, vfs)?;
        schema::create(&connection, &path)?;
        sync_folder(folder)?;
        Self::writable(JournalReader::checked(connection, path)?, clock, lock, checkpoint_pages)
    }

    /// Opens a run's journal to go on with it.
    ///
    /// # Errors
    /// No journal there, another supervisor has it, or this version can't read it.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        let path = existing(folder)?;
        let lock = RunLock::take(folder)?;
        let connection = connect(&path, READ_WRITE, None)?;
        Self::writable(JournalReader::checked(connection, path)?, clock, lock, CHECKPOINT_PAGES)
    }

    /// Opens a run's journal to read it, also while its supervisor is at work.
    ///
    /// # Errors
    /// As [`JournalReader::open`].
    pub fn read_only(folder: &Path) -> Result<JournalReader, JournalError> {
        JournalReader::open(folder)
    }

    fn writable(
        reader: JournalReader,
        clock: Arc<dyn Clock>,
        lock: RunLock,
        checkpoint_pages: u32,
    ) -> Result<Self, JournalError> {
        schema::make_durable(reader.connection(), reader.path(), checkpoint_pages)?;
        let head = reader.head()?;
        Ok(Self { reader, head, clock, text: Vec::new(), is_closed: false, _lock: lock })
    }

    /// What is written so far.
    #[must_use]
    pub fn reader(&self) -> &JournalReader {
        &self.reader
    }

    /// The last event's number and hash.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Writes a group and waits until it is on the disk.
    fn commit(&mut self, events: &[Event]) -> Result<Head, JournalError> {
        let path = self.reader.path();
        let sqlite = |error| JournalError::sqlite("append to", path, error);
        let transaction = rusqlite::Transaction::new_unchecked(
            self.reader.connection(),
            TransactionBehavior::Immediate,
        )
        .map_err(sqlite)?;
        // From here on a failure leaves the disk in a state that is not known.
        self.is_closed = true;
        let mut head = self.head;
        let time_ms = self.clock.unix_ms();
        let mut insert = transaction
            .prepare("INSERT INTO events (seq, time_ms, body, hash) VALUES (?1, ?2, ?3, ?4)")
            .map_err(sqlite)?;
        for event in events {
            self.text.clear();
            event_json::write(event, &mut self.text)
                .map_err(|error| JournalError::Encode { message: error.to_string() })?;
            let body = std::str::from_utf8(&self.text)
                .map_err(|error| JournalError::Encode { message: error.to_string() })?;
            head = head.next(time_ms, body);
            let (seq, time_ms) = (head.seq.cast_signed(), time_ms.cast_signed());
            insert.execute((seq, time_ms, body, &head.hash.0)).map_err(sqlite)?;
        }
        drop(insert);
        transaction.commit().map_err(sqlite)?;
        self.is_closed = false;
        Ok(head)
    }
}

impl EventLog for Journal {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        if self.is_closed {
            return Err(JournalError::Closed { path: self.reader.path().to_owned() });
        }
        if !events.is_empty() {
            self.head = self.commit(events)?;
        }
        Ok(())
    }
}

const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

fn connect(path: &Path, flags: OpenFlags, vfs: Option<&str>) -> Result<Connection, JournalError> {
    match vfs {
        None => Connection::open_with_flags(path, flags),
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
    }
    .map_err(|error| JournalError::sqlite("open", path, error))
}

/// Makes the names of new files durable.
fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| JournalError::io("sync", folder, error))
}
