//! Going through a journal, checking the chain on the way.

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::{Connection, Row};

use super::chain::{ChainHash, Head};
use super::error::ChainFault;
use super::{Event, JournalError, event_json};

/// How many rows are fetched at once, so that a reader holds up nobody for long.
const PAGE_ROWS: u32 = 1024;

/// One event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// Milliseconds since 1970 by the system's clock when it was appended.
    pub time_ms: u64,
    /// The event as JSON.
    pub body: String,
    /// The chain's hash up to and with it.
    pub hash: ChainHash,
}

/// An event with its place in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its number, from 1.
    pub seq: u64,
    /// Milliseconds since 1970 by the system's clock when it was appended.
    pub time_ms: u64,
    /// What happened.
    pub event: Event,
}

/// The entries of a journal in order. Each is checked against the chain before it is given out;
/// after an error there are no more.
pub struct Entries<'a> {
    connection: &'a Connection,
    path: &'a Path,
    /// The last entry that was given out or skipped.
    head: Head,
    /// Rows up to here were fetched.
    fetched: i64,
    page: VecDeque<Result<Entry, JournalError>>,
    is_over: bool,
}

impl<'a> Entries<'a> {
    pub(super) fn after(connection: &'a Connection, path: &'a Path, head: Head) -> Self {
        // A row before the first is a fault that must be seen too.
        let fetched = match head.seq {
            0 => i64::MIN,
            seq => i64::try_from(seq).unwrap_or(i64::MAX),
        };
        Self { connection, path, head, fetched, page: VecDeque::new(), is_over: false }
    }

    fn fetch(&mut self) -> Result<(), JournalError> {
        let sqlite = |error| JournalError::sqlite("read", self.path, error);
        let mut statement = self
            .connection
            .prepare(
                "SELECT seq, time_ms, body, hash FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )
            .map_err(sqlite)?;
        let mut rows = statement.query((self.fetched, PAGE_ROWS)).map_err(sqlite)?;
        while let Some(row) = rows.next().map_err(sqlite)? {
            self.fetched = row.get(0).map_err(sqlite)?;
            let entry = entry(row).map_err(|_| {
                let seq = u64::try_from(self.fetched).unwrap_or(0);
                broken(self.path, seq, ChainFault::Malformed)
            });
            self.page.push_back(entry);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Entry>, JournalError> {
        if self.page.is_empty() {
            self.fetch()?;
        }
        let Some(entry) = self.page.pop_front().transpose()? else { return Ok(None) };
        let expected = self.head.next(entry.time_ms, &entry.body);
        if entry.seq != expected.seq {
            return Err(broken(self.path, expected.seq, ChainFault::Missing));
        }
        if entry.hash != expected.hash {
            return Err(broken(self.path, entry.seq, ChainFault::Changed));
        }
        self.head = expected;
        Ok(Some(entry))
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let item = self.step().transpose();
        self.is_over = !matches!(item, Some(Ok(_)));
        item
    }
}

impl Entry {
    /// The event itself.
    ///
    /// # Errors
    /// What is wrong with the text, which another version of the framework must have written.
    pub fn decode(&self) -> Result<Event, String> {
        event_json::read(&self.body)
    }

    pub(super) fn record(&self, path: &Path) -> Result<Recorded, JournalError> {
        let (seq, time_ms) = (self.seq, self.time_ms);
        let event = self.decode().map_err(|message| JournalError::UnknownEvent {
            path: path.to_owned(),
            seq,
            message,
        })?;
        Ok(Recorded { seq, time_ms, event })
    }
}

/// Reads one row.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(Entry {
        seq: number(0)?,
        time_ms: number(1)?,
        body: row.get(2)?,
        hash: ChainHash(row.get(3)?),
    })
}

fn broken(path: &Path, seq: u64, fault: ChainFault) -> JournalError {
    JournalError::BrokenChain { path: path.to_owned(), seq, fault }
}
