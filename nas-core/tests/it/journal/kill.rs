//! `kill -9` at random instants, and a limit on the size of files.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nas_core::budget::RealClock;
use nas_core::journal::{EventLog, Journal, JournalError};

use super::samples::group;

/// The variable that makes this binary the child, and names the run's folder.
const FOLDER: &str = "NAS_TEST_JOURNAL_FOLDER";

const EVENTS_IN_A_GROUP: u64 = 7;

/// Not a test by itself: what the child process runs, until it is killed or can't write.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut journal = Journal::open(Path::new(&folder), Arc::new(RealClock::new())).unwrap();
    for number in 0.. {
        match journal.append(&group(number, EVENTS_IN_A_GROUP)) {
            Ok(()) => println!("\nseq {}", journal.head().seq),
            Err(error) => {
                println!("\nerror {error:?}");
                return;
            }
        }
    }
}

/// Runs the child by this shell line, in which `"$@"` is its command.
fn child_command(folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", shell, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "journal::kill::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped());
    command
}

#[test]
fn killing_the_writer_loses_nothing_that_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    drop(Journal::create(folder.path(), Arc::new(RealClock::new())).unwrap());
    let mut last = 0;
    for round in 0..20_u64 {
        let mut child = child_command(folder.path(), "exec \"$@\"").spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // A few groups, and a moment more, so that the end falls anywhere in an append.
        let enough = 1 + (round * 7) % 30;
        let mut appended = 0;
        for line in lines {
            let line = line.unwrap_or_default();
            let Some(seq) = line.strip_prefix("seq ") else { continue };
            last = seq.parse().unwrap();
            appended += 1;
            if appended == enough {
                std::thread::sleep(Duration::from_micros(round * 137 % 1000));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(appended >= enough);
        let reader = Journal::read_only(folder.path()).unwrap();
        let head = reader.verify().unwrap();
        assert!(head.seq >= last, "{last} was appended, {} is the last", head.seq);
        assert_eq!(head.seq % EVENTS_IN_A_GROUP, 0, "half a group");
    }
}

#[test]
fn a_file_that_may_not_grow_ends_the_journal_and_keeps_what_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    drop(Journal::create(folder.path(), Arc::new(RealClock::new())).unwrap());
    // In blocks of 512 bytes. Without the trap, the signal would end the child before the error.
    let limited = "trap '' XFSZ; ulimit -f 400; exec \"$@\"";
    let output = child_command(folder.path(), limited).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().filter_map(|line| line.strip_prefix("seq ")).next_back().unwrap();
    assert!(text.contains("error Sqlite { doing: \"append to\""), "{text}");
    let head = Journal::read_only(folder.path()).unwrap().verify().unwrap();
    assert_eq!(head.seq.to_string(), last);
    let mut journal = Journal::open(folder.path(), Arc::new(RealClock::new())).unwrap();
    journal.append(&group(0, 1)).unwrap();
    let error = Journal::open(folder.path(), Arc::new(RealClock::new())).err().unwrap();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
}
