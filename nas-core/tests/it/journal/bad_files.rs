//! Files and folders that are no journal, or can't be one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use nas_core::budget::FakeClock;
use nas_core::journal::{EventLog, Journal, JournalError};
use tempfile::TempDir;

use super::samples::{group, started};

/// A run's folder with a journal of some pages, closed.
fn finished_run() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = create(folder.path()).unwrap();
    journal.append(&[started()]).unwrap();
    journal.append(&group(1, 500)).unwrap();
    folder
}

fn create(folder: &Path) -> Result<Journal, JournalError> {
    Journal::create(folder, Arc::new(FakeClock::new()))
}

fn open(folder: &Path) -> Result<Journal, JournalError> {
    Journal::open(folder, Arc::new(FakeClock::new()))
}

/// What opening says, for writing and for reading.
#[track_caller]
fn check_refused(folder: &Path, expected: &str) {
    let errors = [open(folder).err(), Journal::read_only(folder).err()];
    for error in errors {
        let text = error.expect("it should be refused").to_string();
        assert!(text.contains(expected), "{text}");
    }
}

fn sql(folder: &Path, statements: &str) {
    let connection = rusqlite::Connection::open(folder.join("journal.sqlite")).unwrap();
    connection.execute_batch(statements).unwrap();
}

#[test]
fn a_folder_without_a_journal_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    check_refused(folder.path(), "there is no `journal.sqlite`");
    check_refused(&folder.path().join("missing"), "there is no `journal.sqlite`");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a look leaves nothing behind");
}

#[test]
fn a_journal_is_never_replaced() {
    let folder = finished_run();
    let error = create(folder.path()).err().unwrap();
    assert!(matches!(error, JournalError::Exists { .. }), "{error}");
    assert_eq!(Journal::read_only(folder.path()).unwrap().verify().unwrap().seq, 501);
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let error = create(Path::new("/nonexistent/run")).err().unwrap();
    assert!(error.to_string().contains("/nonexistent/run"), "{error}");
}

#[test]
fn a_second_supervisor_is_refused_and_readers_are_not() {
    let folder = finished_run();
    let first = open(folder.path()).unwrap();
    let error = open(folder.path()).err().unwrap();
    let own = std::process::id();
    assert!(
        matches!(error, JournalError::InUse { process: Some(process), .. } if process == own),
        "{error}"
    );
    assert_eq!(Journal::read_only(folder.path()).unwrap().verify().unwrap().seq, 501);
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn another_program_that_holds_the_database_is_reported() {
    let folder = finished_run();
    let mut journal = open(folder.path()).unwrap();
    let other = rusqlite::Connection::open(folder.path().join("journal.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = journal.append(&group(2, 1)).unwrap_err();
    assert!(matches!(error, JournalError::Busy { .. }), "{error}");
    // Nothing was written, so nothing is lost: the append may be tried again.
    other.execute_batch("ROLLBACK").unwrap();
    journal.append(&group(2, 1)).unwrap();
    assert_eq!(journal.reader().verify().unwrap().seq, 502);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("journal.sqlite"), "no database, only words ".repeat(500))
        .unwrap();
    check_refused(folder.path(), "it is not the journal of a run");
}

#[test]
fn an_empty_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("journal.sqlite"), "").unwrap();
    check_refused(folder.path(), "it is not the journal of a run");
}

#[test]
fn a_folder_in_place_of_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("journal.sqlite")).unwrap();
    check_refused(folder.path(), "it is not the journal of a run");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    sql(folder.path(), "CREATE TABLE events (seq INTEGER); PRAGMA user_version = 1;");
    check_refused(folder.path(), "it is not the journal of a run");
}

#[test]
fn a_journal_of_a_later_layout_is_refused() {
    let folder = finished_run();
    sql(folder.path(), "PRAGMA user_version = 9");
    check_refused(folder.path(), "its layout has number 9, and this version knows 1");
}

#[test]
fn an_event_of_a_later_version_is_named() {
    let folder = finished_run();
    let reader = Journal::read_only(folder.path()).unwrap();
    let head = reader.head().unwrap();
    let body = r#"{"event":"dreamt"}"#;
    let next = head.next(5, body);
    sql(
        folder.path(),
        &format!("INSERT INTO events VALUES ({}, 5, '{body}', x'{}')", next.seq, next.hash),
    );
    assert_eq!(reader.verify().unwrap(), next, "the chain is sound");
    let error = reader.events().find_map(Result::err).unwrap().to_string();
    assert!(error.contains("event 502") && error.contains("another version"), "{error}");
}

#[test]
fn a_file_that_was_cut_short_is_found_out() {
    let folder = finished_run();
    let path = folder.path().join("journal.sqlite");
    let size = fs::metadata(&path).unwrap().len();
    for size in [size - 4096, size / 2, size / 2 + 100, 8192, 4096, 1000, 50] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(size).unwrap();
        let found = Journal::read_only(folder.path()).and_then(|reader| reader.verify());
        match found {
            Err(
                JournalError::Damaged { .. }
                | JournalError::NotAJournal { .. }
                | JournalError::BrokenChain { .. },
            ) => {}
            other => panic!("{size} bytes: {other:?}"),
        }
    }
}

#[test]
fn a_flipped_byte_is_found_out() {
    let folder = finished_run();
    let path = folder.path().join("journal.sqlite");
    let sound = fs::read(&path).unwrap();
    for place in (4096..sound.len()).step_by(251) {
        let mut damaged = sound.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let reader = Journal::read_only(folder.path()).unwrap();
        let all: Result<Vec<_>, _> = reader.entries().collect();
        // Bytes that belong to no row may be anything.
        if let Ok(entries) = all {
            assert_eq!(entries.len(), 501, "byte {place}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    // Not even root may make files here.
    let folder = Path::new("/proc/self/task");
    let error = create(folder).err().unwrap();
    assert!(error.to_string().contains("/proc/self/task"), "{error}");
}
