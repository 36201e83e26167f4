//! Power cuts, at every operation that SQLite does on the disk, with every kind of loss.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use nas_core::budget::FakeClock;
use nas_core::journal::{Event, EventLog, Journal, JournalError};
use tempfile::TempDir;

use super::samples::{group, whole_trial};
use super::vfs::{Op, Unsynced, Vfs, image};

const EVENTS_IN_A_GROUP: u64 = 40;
const GROUPS: u64 = 12;
/// So small that several checkpoints fall into the run, each of which moves the log's content to
/// the file and begins the log anew.
const CHECKPOINT_PAGES: u32 = 10;

/// A group of events that fills some pages.
fn events_of(number: u64) -> Vec<Event> {
    let padding = whole_trial(number).into_iter();
    padding.chain(group(number, EVENTS_IN_A_GROUP - 4)).collect()
}

fn create(folder: &Path, vfs: &Vfs) -> Journal {
    let clock = Arc::new(FakeClock::new());
    Journal::create_with_vfs(folder, clock, &vfs.name, CHECKPOINT_PAGES).unwrap()
}

/// Where syncs cost nothing, if there is such a place: what matters was decided by [`image`].
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The journal on a disk with these files, opened by SQLite's own storage layer.
fn reopen(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Journal, JournalError> {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    Journal::open(folder, Arc::new(FakeClock::new()))
}

/// After a cut that follows these operations: every group whose append had returned is there,
/// whole groups only, in order, and the journal takes more.
#[track_caller]
fn check_cut(ops: &[Op], unsynced: Unsynced) {
    let returned = ops.iter().filter(|op| matches!(op, Op::Returned)).count() as u64;
    let folder = scratch();
    let context = || format!("cut after operation {} ({unsynced:?})", ops.len());
    let mut journal = reopen(folder.path(), &image(ops, unsynced))
        .unwrap_or_else(|error| panic!("{}: {error}", context()));
    let head = journal.reader().verify().unwrap_or_else(|error| panic!("{}: {error}", context()));
    let found = head.seq / EVENTS_IN_A_GROUP;
    assert_eq!(head.seq % EVENTS_IN_A_GROUP, 0, "{}: half a group", context());
    assert!(found >= returned, "{}: {found} of {returned} groups", context());
    let events: Vec<Event> =
        journal.reader().events().map(|recorded| recorded.unwrap().event).collect();
    let expected: Vec<Event> = (0..found).flat_map(events_of).collect();
    assert_eq!(events, expected, "{}", context());
    journal.append(&events_of(found)).unwrap();
    assert_eq!(journal.reader().verify().unwrap().seq, head.seq + EVENTS_IN_A_GROUP);
}

/// The operations of a whole run, and how many of them made the journal.
fn run(name: &str) -> (Vec<Op>, usize) {
    let vfs = Vfs::register(name);
    let folder = scratch();
    let mut journal = create(folder.path(), &vfs);
    let created = vfs.disk().ops.len();
    for number in 0..GROUPS {
        journal.append(&events_of(number)).unwrap();
        vfs.disk().ops.push(Op::Returned);
    }
    // The log is moved into the file and removed.
    drop(journal);
    let ops = vfs.disk().ops.clone();
    (ops, created)
}

#[test]
fn a_power_cut_at_any_operation_loses_no_group_that_was_appended() {
    let (ops, created) = run("any-operation");
    let syncs_of_file =
        ops.iter().filter(|op| matches!(op, Op::Sync { file } if file == "journal.sqlite"));
    assert!(syncs_of_file.count() > 3, "there should be checkpoints");
    for cut in created..=ops.len() {
        check_cut(&ops[..cut], Unsynced::Lost);
        check_cut(&ops[..cut], Unsynced::Kept);
        check_cut(&ops[..cut], Unsynced::TornAtEnd);
        for seed in 0..3 {
            check_cut(&ops[..cut], Unsynced::Some(seed + 1000 * cut as u64));
        }
    }
}

#[test]
fn a_power_cut_while_a_journal_is_made_leaves_nothing_that_looks_sound_and_is_not() {
    let (ops, created) = run("being-made");
    for cut in 0..created {
        for seed in 0..8 {
            let folder = scratch();
            match reopen(folder.path(), &image(&ops[..cut], Unsynced::Some(seed))) {
                Ok(journal) => assert_eq!(journal.reader().verify().unwrap().seq, 0),
                Err(
                    JournalError::Missing { .. }
                    | JournalError::NotAJournal { .. }
                    | JournalError::Damaged { .. },
                ) => {}
                Err(error) => panic!("cut after operation {cut} (seed {seed}): {error}"),
            }
        }
    }
}

#[test]
fn a_full_disk_ends_the_journal_and_keeps_what_was_appended() {
    let vfs = Vfs::register("full-disk");
    let folder = scratch();
    let mut journal = create(folder.path(), &vfs);
    vfs.disk().capacity = Some(200_000);
    let mut number = 0;
    let error = loop {
        match journal.append(&events_of(number)) {
            Ok(()) => vfs.disk().ops.push(Op::Returned),
            Err(error) => break error,
        }
        number += 1;
    };
    assert!(number > 2, "{number} groups");
    assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
    vfs.disk().capacity = None;
    let error = journal.append(&events_of(number)).unwrap_err();
    assert!(matches!(error, JournalError::Closed { .. }), "{error}");
    drop(journal);
    check_cut(&vfs.disk().ops, Unsynced::Lost);
}

#[test]
fn a_sync_that_fails_ends_the_journal() {
    let vfs = Vfs::register("failing-sync");
    let folder = scratch();
    let mut journal = create(folder.path(), &vfs);
    journal.append(&events_of(0)).unwrap();
    vfs.disk().ops.push(Op::Returned);
    vfs.disk().syncs_fail = true;
    assert!(journal.append(&events_of(1)).is_err());
    vfs.disk().syncs_fail = false;
    let error = journal.append(&events_of(1)).unwrap_err();
    assert!(matches!(error, JournalError::Closed { .. }), "{error}");
    drop(journal);
    check_cut(&vfs.disk().ops, Unsynced::Lost);
    check_cut(&vfs.disk().ops, Unsynced::Kept);
}
