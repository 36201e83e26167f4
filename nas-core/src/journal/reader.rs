//! Reading a journal, of a run that is over or still at work.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::anchor::{Anchor, AnchorError, AnchorFile};
use super::chain::{ChainHash, Head};
use super::entries::{Entries, Entry, Recorded, entry};
use super::error::ChainFault;
use super::schema::{self, JOURNAL_FILE};
use super::verification::{self, Row, Verification};
use super::{JournalError, RunHistory};

/// A journal that is only read. A supervisor may append meanwhile; what it appends is seen by the
/// next call.
#[derive(Debug)]
pub struct JournalReader {
    connection: Connection,
    path: PathBuf,
}

impl JournalReader {
    /// Opens the journal of a run's folder for reading.
    ///
    /// # Errors
    /// No journal there, or none that this version can read.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let path = existing(folder)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags)
            .map_err(|error| JournalError::sqlite("open", &path, error))
            .and_then(|connection| Self::checked(connection, path.clone()));
        match opened {
            Err(error) if is_archived(&error, &path) => Self::open_archived(path),
            result => result,
        }
    }

    /// A connection, if it leads to a journal.
    pub(super) fn checked(connection: Connection, path: PathBuf) -> Result<Self, JournalError> {
        schema::check(&connection, &path)?;
        Ok(Self { connection, path })
    }

    /// SQLite needs a file of shared memory beside a journal, and can't make one in a folder that
    /// can't be written; but then nobody writes, and none is needed.
    fn open_archived(path: PathBuf) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(immutable_uri(&path), flags)
            .map_err(|error| JournalError::sqlite("open", &path, error))?;
        Self::checked(connection, path)
    }

    /// All events in order, each checked against the hash chain.
    pub fn events(&self) -> impl Iterator<Item = Result<Recorded, JournalError>> {
        self.entries().map(|entry| entry?.record(&self.path))
    }

    /// The same, each with the chain's hash up to and with it.
    pub fn events_with_hashes(
        &self,
    ) -> impl Iterator<Item = Result<(Recorded, ChainHash), JournalError>> {
        self.entries().map(|entry| {
            let entry = entry?;
            Ok((entry.record(&self.path)?, entry.hash))
        })
    }

    /// The events after this head, which an earlier call gave: what has happened since.
    pub fn events_after(&self, head: Head) -> impl Iterator<Item = Result<Recorded, JournalError>> {
        self.entries_after(head).map(|entry| entry?.record(&self.path))
    }

    /// All entries in order as they are stored, each checked against the hash chain.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        self.entries_after(Head::EMPTY)
    }

    /// The entries after this head.
    #[must_use]
    pub fn entries_after(&self, head: Head) -> Entries<'_> {
        Entries::after(&self.connection, &self.path, head)
    }

    /// All events, folded.
    ///
    /// # Errors
    /// The first event that is not as it was written, or not understood.
    pub fn history(&self) -> Result<RunHistory, JournalError> {
        let mut history = RunHistory::default();
        for recorded in self.events() {
            history.apply(&recorded?.event);
        }
        Ok(history)
    }

    /// Checks the whole chain, and gives its head. A chain that was cut at its end, or written
    /// anew from the start, is consistent too: compare the head with a copy kept elsewhere.
    ///
    /// # Errors
    /// [`JournalError::BrokenChain`] with the first event that is not as it was written.
    pub fn verify(&self) -> Result<Head, JournalError> {
        let mut head = Head::EMPTY;
        for entry in self.entries() {
            let Entry { seq, hash, .. } = entry?;
            head = Head { seq, hash };
        }
        Ok(head)
    }

    /// Looks at every event and says all that was done to the journal since it was written, as far
    /// as it can be seen: by itself, and by copies of its head that were kept elsewhere.
    ///
    /// # Errors
    /// A file that can't be read; what is wrong with its events is no error here.
    pub fn examine(&self, anchors: &[Anchor]) -> Result<Verification, JournalError> {
        let sqlite = |error| JournalError::sqlite("read", &self.path, error);
        let mut statement = self
            .connection
            .prepare("SELECT seq, time_ms, body, hash FROM events ORDER BY seq")
            .map_err(sqlite)?;
        let mut found = statement.query(()).map_err(sqlite)?;
        let mut rows: Vec<Row> = Vec::new();
        while let Some(row) = found.next().map_err(sqlite)? {
            let seq: i64 = row.get(0).map_err(sqlite)?;
            // No number below 1 is ever written.
            let number = u64::try_from(seq).unwrap_or(0);
            rows.push(entry(row).ok().filter(|_| seq > 0).ok_or(number));
        }
        Ok(verification::verify(&rows, anchors))
    }

    /// The heads of this journal in an anchor.
    ///
    /// # Errors
    /// What is wrong with the anchor.
    pub fn anchors(&self, file: &AnchorFile) -> Result<Vec<Anchor>, AnchorError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        file.of_run(folder, self.first().unwrap_or(ChainHash::GENESIS))
    }

    /// A copy of this journal's head, to be kept elsewhere; `None` of an empty one.
    ///
    /// # Errors
    /// What the file says.
    pub fn anchor(&self, time_ms: u64) -> Result<Option<Anchor>, JournalError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let head = self.head()?;
        Ok(self.first().map(|first| Anchor::new(folder, first, head, time_ms)))
    }

    /// The hash of the first event, by which a run is known.
    fn first(&self) -> Option<ChainHash> {
        let first = "SELECT hash FROM events WHERE seq = 1";
        self.connection.query_row(first, [], |row| row.get(0)).map(ChainHash).ok()
    }

    /// The last event's number and hash, without a look at those before.
    ///
    /// # Errors
    /// What the file says.
    pub fn head(&self) -> Result<Head, JournalError> {
        let last = "SELECT seq, time_ms, body, hash FROM events ORDER BY seq DESC LIMIT 1";
        let row = self
            .connection
            .query_row(last, [], |row| Ok((row.get::<_, i64>(0)?, entry(row))))
            .optional();
        match row.map_err(|error| JournalError::sqlite("read", &self.path, error))? {
            None => Ok(Head::EMPTY),
            Some((_, Ok(Entry { seq, hash, .. }))) => Ok(Head { seq, hash }),
            Some((seq, Err(_))) => Err(JournalError::BrokenChain {
                path: self.path.clone(),
                seq: seq.cast_unsigned(),
                fault: ChainFault::Malformed,
            }),
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The path of a folder's journal, which must be there.
pub(super) fn existing(folder: &Path) -> Result<PathBuf, JournalError> {
    let path = folder.join(JOURNAL_FILE);
    match fs::metadata(&path) {
        Ok(data) if data.is_file() => Ok(path),
        Ok(_) => Err(JournalError::NotAJournal { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(JournalError::Missing { folder: folder.to_owned() })
        }
        Err(error) => Err(JournalError::io("open", &path, error)),
    }
}

/// Whether opening failed because the folder can't be written, and there is no unfinished log that
/// would be overlooked.
fn is_archived(error: &JournalError, path: &Path) -> bool {
    let is_refused = match error {
        JournalError::ReadOnly { .. } => true,
        JournalError::Sqlite { source, .. } => {
            source.sqlite_error_code() == Some(ErrorCode::CannotOpen)
        }
        _ => false,
    };
    let log = path.with_file_name(format!("{JOURNAL_FILE}-wal"));
    is_refused && fs::metadata(log).map_or(true, |data| data.len() == 0)
}

/// SQLite's address of a file that nobody changes.
fn immutable_uri(path: &Path) -> String {
    let escaped =
        path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?immutable=1")
}
