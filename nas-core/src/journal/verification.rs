//! Looking for what was done to a journal: which events were changed, removed, or put in.
//!
//! [`super::Entries`] stops at the first event that is wrong. This goes on, and uses that an
//! event's hash covers its original number and the hash before it: an event that follows from an
//! earlier one than the one before it says that something was put in between, and one that has an
//! earlier number than it was written with says how many are gone.

use std::collections::BTreeMap;

use super::anchor::Anchor;
use super::chain::{ChainHash, Head};
use super::entries::Entry;

/// How many removed events in a row are told from a changed one by trying their numbers.
const LONGEST_GAP: u64 = 100_000;

/// What a look at every event showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many events there are.
    pub n_events: u64,
    /// The last event's number and hash.
    pub head: Head,
    /// What was done to the journal, in order; empty where its events agree with each other and
    /// with the anchors.
    pub findings: Vec<Finding>,
    /// How many heads were found in the anchor.
    pub n_anchors: u64,
    /// The last event up to which an anchor agrees with the journal.
    pub anchored: Option<u64>,
}

/// Something that was done to a journal after it was written. Events are named by the numbers that
/// the journal gives them now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// An event does not follow from the one before it.
    #[error(
        "event {seq} was changed: it does not have the hash that it was written with{}",
        or_the_one_before(*seq)
    )]
    Changed {
        /// The event.
        seq: u64,
    },
    /// Events are gone.
    #[error("{} removed: the next event, {seq}, was written after them", events_were(*first, *last))]
    Removed {
        /// The first of them, by the number that it had.
        first: u64,
        /// The last of them.
        last: u64,
        /// The event that now follows.
        seq: u64,
    },
    /// Events were put in.
    #[error("{} inserted: the event after follows from the one before", events_were(*first, *last))]
    Inserted {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// An event has another form than any that is written.
    #[error("event {seq} was changed: it is not stored in the form in which events are written")]
    Malformed {
        /// The event.
        seq: u64,
    },
    /// The end was cut off.
    #[error(
        "{} removed at the end: the anchor has the chain's head at event {last}",
        events_were(*first, *last)
    )]
    Cut {
        /// The first that is gone.
        first: u64,
        /// The last that the anchor knows of.
        last: u64,
    },
    /// The chain is whole, but another one than was anchored.
    #[error(
        "{} changed, and the chain was written anew from there: event {last} has another hash than \
         in the anchor",
        one_of(*first, *last)
    )]
    WrittenAnew {
        /// The first that may have been changed.
        first: u64,
        /// The anchored event.
        last: u64,
    },
}

/// A row of the journal, or the number of one that can't be read.
pub(super) type Row = Result<Entry, u64>;

/// Looks at all rows, in the order of their numbers, and compares them with copies of the chain's
/// head that were kept elsewhere.
pub(super) fn verify(rows: &[Row], anchors: &[Anchor]) -> Verification {
    let mut findings = check_chain(rows);
    let hashes: BTreeMap<u64, ChainHash> =
        rows.iter().filter_map(|row| row.as_ref().ok()).map(|row| (row.seq, row.hash)).collect();
    let head = match rows.last() {
        Some(Ok(entry)) => Head { seq: entry.seq, hash: entry.hash },
        Some(Err(seq)) => Head { seq: *seq, hash: ChainHash::GENESIS },
        None => Head::EMPTY,
    };
    let is_consistent = findings.is_empty();
    let mut anchored = None;
    let mut anchors: Vec<&Anchor> = anchors.iter().collect();
    anchors.sort_by_key(|anchor| anchor.seq);
    for anchor in &anchors {
        match hashes.get(&anchor.seq) {
            Some(hash) if *hash == anchor.hash => anchored = Some(anchor.seq),
            // Where the chain itself is broken, these follow from what was found there.
            _ if !is_consistent => {}
            Some(_) => {
                let first = anchored.map_or(1, |seq| seq + 1);
                findings.push(Finding::WrittenAnew { first, last: anchor.seq });
                break;
            }
            None => {}
        }
    }
    let last = anchors.last().map_or(0, |anchor| anchor.seq);
    if is_consistent && findings.is_empty() && last > head.seq {
        findings.push(Finding::Cut { first: head.seq + 1, last });
    }
    let (n_events, n_anchors) = (rows.len() as u64, anchors.len() as u64);
    Verification { n_events, head, findings, n_anchors, anchored }
}

/// The last event that is taken for what it was, by its original number; without a hash where it
/// can't be read.
#[derive(Clone, Copy)]
struct Link {
    seq: u64,
    hash: Option<ChainHash>,
}

impl Link {
    /// Whether `entry` was written after this, with the number `seq`.
    fn leads_to(self, seq: u64, entry: &Entry) -> bool {
        self.hash.is_none_or(|hash| hash.next(seq, entry.time_ms, &entry.body) == entry.hash)
    }
}

fn check_chain(rows: &[Row]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = Link { seq: 0, hash: Some(ChainHash::GENESIS) };
    // What is to be added to a number in the journal to have the one that it was written with.
    let mut shift = 0_i64;
    let mut place = 0;
    while let Some(row) = rows.get(place) {
        let due = last.seq + 1;
        let entry = match row {
            Ok(entry) => entry,
            Err(seq) => {
                findings.push(Finding::Malformed { seq: *seq });
                last = Link { seq: due, hash: None };
                place += 1;
                continue;
            }
        };
        let original = entry.seq.saturating_add_signed(shift);
        if original > due {
            findings.push(Finding::Removed { first: due, last: original - 1, seq: entry.seq });
            last = Link { seq: original, hash: Some(entry.hash) };
        } else if original == due && last.leads_to(due, entry) {
            last = Link { seq: due, hash: Some(entry.hash) };
        } else if let Some(next) = next_in_chain(last, &rows[place + 1..]) {
            let next = place + 1 + next;
            let before = rows[next - 1].as_ref().map_or_else(|seq| *seq, |entry| entry.seq);
            findings.push(Finding::Inserted { first: entry.seq, last: before });
            if let Some(Ok(entry)) = rows.get(next) {
                // Numbers of what follows are too large; they count as they were.
                shift = due.cast_signed().saturating_sub(entry.seq.cast_signed());
            }
            place = next;
            continue;
        } else if let Some(gap) = gap_before(entry, original, rows.get(place + 1)) {
            findings.push(Finding::Removed { first: due, last: due + gap - 1, seq: entry.seq });
            shift = shift.saturating_add_unsigned(gap);
            last = Link { seq: original + gap, hash: Some(entry.hash) };
        } else {
            findings.push(Finding::Changed { seq: entry.seq });
            last = Link { seq: original, hash: Some(entry.hash) };
        }
        place += 1;
    }
    findings
}

/// The first of these rows that was written right after `last`.
fn next_in_chain(last: Link, rows: &[Row]) -> Option<usize> {
    last.hash?;
    let follows = |row: &Row| row.as_ref().is_ok_and(|entry| last.leads_to(last.seq + 1, entry));
    rows.iter().position(follows)
}

/// How many events before this one are gone, if the one after it still knows the number that it
/// was written with.
fn gap_before(entry: &Entry, original: u64, next: Option<&Row>) -> Option<u64> {
    let next = next?.as_ref().ok()?;
    let link = Link { seq: original, hash: Some(entry.hash) };
    (0..=LONGEST_GAP).find(|gap| link.leads_to(original + 1 + gap, next)).filter(|gap| *gap > 0)
}

fn or_the_one_before(seq: u64) -> String {
    match seq {
        0 | 1 => String::new(),
        seq => format!(" (or event {} was, together with its hash)", seq - 1),
    }
}

fn events_were(first: u64, last: u64) -> String {
    match first == last {
        true => format!("event {first} was"),
        false => format!("events {first} to {last} were"),
    }
}

fn one_of(first: u64, last: u64) -> String {
    match first == last {
        true => format!("event {first} was"),
        false => format!("an event of {first} to {last} was"),
    }
}
