//! What is appended, and what `verify` finds when it was changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nas_core::budget::FakeClock;
use nas_core::journal::{
    ChainFault, Event, EventLog, Head, Journal, JournalError, JournalReader, MemoryLog,
};

use super::samples::{group, started, whole_trial};

fn create(folder: &Path) -> Journal {
    Journal::create(folder, Arc::new(FakeClock::new())).unwrap()
}

fn events(reader: &JournalReader) -> Vec<Event> {
    reader.events().map(|recorded| recorded.unwrap().event).collect()
}

#[test]
fn what_was_appended_is_read_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FakeClock::new());
    let mut written = vec![started()];
    let mut journal = Journal::create(folder.path(), clock.clone()).unwrap();
    journal.append(&written).unwrap();
    journal.append(&[]).unwrap();
    // More than one page of rows.
    for trial in 0..600 {
        clock.advance(Duration::from_millis(10));
        journal.append(&whole_trial(trial)).unwrap();
        written.extend(whole_trial(trial));
    }
    assert_eq!(events(journal.reader()), written);
    assert_eq!(journal.head().seq, 2401);
    let head = journal.head();
    drop(journal);

    let journal = Journal::open(folder.path(), clock).unwrap();
    assert_eq!(journal.head(), head);
    assert_eq!(journal.reader().verify().unwrap(), head);
    assert_eq!(events(journal.reader()), written);
    let last = journal.reader().events().last().unwrap().unwrap();
    assert_eq!((last.seq, last.time_ms), (2401, 1_767_225_606_000));
}

#[test]
fn a_reader_follows_a_journal_that_is_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = create(folder.path());
    journal.append(&[started()]).unwrap();
    let reader = Journal::read_only(folder.path()).unwrap();
    assert_eq!(events(&reader), [started()]);
    let seen = reader.head().unwrap();

    journal.append(&group(1, 3)).unwrap();
    let news: Vec<Event> =
        reader.events_after(seen).map(|recorded| recorded.unwrap().event).collect();
    assert_eq!(news, group(1, 3));
    assert_eq!(reader.verify().unwrap(), journal.head());
}

#[test]
fn the_hash_of_an_entry_can_be_computed_from_an_export_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = create(folder.path());
    journal.append(&group(1, 2)).unwrap();
    let mut head = Head::EMPTY;
    for entry in journal.reader().entries() {
        let entry = entry.unwrap();
        head = head.next(entry.time_ms, &entry.body);
        assert_eq!((head.seq, head.hash), (entry.seq, entry.hash));
    }
    // By Python's hashlib, from the rule in the documentation.
    assert_eq!(
        head.hash.to_string(),
        "94b6cc3a9553ca174abe0d5b3c86604bdcbe8878d93e378d0d8459cffdda8f1e"
    );
}

#[test]
fn a_memory_log_keeps_what_it_is_given() {
    let mut log = MemoryLog::default();
    log.append(&group(1, 2)).unwrap();
    log.append(&group(2, 1)).unwrap();
    assert_eq!(log.events(), [group(1, 2), group(2, 1)].concat());
}

/// Changes a journal behind its back, and says which event `verify` names and why.
#[track_caller]
fn check_tampered(sql: &str, seq: u64, fault: ChainFault) {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = create(folder.path());
    journal.append(&[started()]).unwrap();
    journal.append(&group(1, 9)).unwrap();
    drop(journal);
    let file = folder.path().join("journal.sqlite");
    rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();

    let reader = Journal::read_only(folder.path()).unwrap();
    let found =
        [reader.verify().err(), reader.events().find_map(Result::err), reader.history().err()];
    for error in found {
        match error.unwrap() {
            JournalError::BrokenChain { seq: found, fault: why, .. } => {
                assert_eq!((found, why), (seq, fault));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_changed_text_is_named() {
    check_tampered(
        "UPDATE events SET body = replace(body, '1', '2') WHERE seq = 4",
        4,
        ChainFault::Changed,
    );
}

#[test]
fn a_changed_time_is_named() {
    check_tampered("UPDATE events SET time_ms = 0 WHERE seq = 2", 2, ChainFault::Changed);
}

#[test]
fn a_changed_hash_is_named() {
    check_tampered("UPDATE events SET hash = zeroblob(32) WHERE seq = 10", 10, ChainFault::Changed);
}

#[test]
fn a_missing_event_is_named() {
    check_tampered("DELETE FROM events WHERE seq IN (3, 5)", 3, ChainFault::Missing);
}

#[test]
fn a_missing_first_event_is_named() {
    check_tampered("DELETE FROM events WHERE seq = 1", 1, ChainFault::Missing);
}

#[test]
fn an_event_before_the_first_is_seen() {
    check_tampered(
        "INSERT INTO events SELECT -5, time_ms, body, hash FROM events WHERE seq = 1",
        1,
        ChainFault::Missing,
    );
}

#[test]
fn swapped_events_are_named() {
    check_tampered(
        "UPDATE events SET seq = -1 WHERE seq = 6;
         UPDATE events SET seq = 6 WHERE seq = 7;
         UPDATE events SET seq = 7 WHERE seq = -1;",
        6,
        ChainFault::Changed,
    );
}

#[test]
fn a_hash_of_another_length_is_named() {
    check_tampered("UPDATE events SET hash = x'00' WHERE seq = 8", 8, ChainFault::Malformed);
}
