//! Whoever edits a journal is found out, and the event is named.

use std::path::Path;

use nas_core::journal::{AnchorFile, ChainHash, Head, Journal};
use rusqlite::Connection;

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
budget.trials = 6
execution.workers = 1
"#;

/// A run that is over.
fn finished() -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
    sandbox
}

fn edit(sandbox: &Sandbox, statements: &str) {
    let journal = sandbox.run_folder().unwrap().join("journal.sqlite");
    Connection::open(journal).unwrap().execute_batch(statements).unwrap();
}

fn n_events(sandbox: &Sandbox) -> u64 {
    Journal::read_only(&sandbox.run_folder().unwrap()).unwrap().head().unwrap().seq
}

/// What `nas audit verify` finds after an edit.
#[track_caller]
fn check(statements: &str, expected: &str) {
    let sandbox = finished();
    edit(&sandbox, statements);
    let folder = sandbox.run_folder_even_if_damaged();
    let output = sandbox.run(&["audit", "verify", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(8), "{}", text(&output));
    let found = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(found.contains(expected), "{found}");
    assert_eq!(found.lines().count(), 2, "one finding: {found}");
}

#[test]
fn a_whole_journal_agrees_with_its_anchor() {
    let sandbox = finished();
    let output = sandbox.run(&["audit", "verify", "last"]);
    assert!(output.status.success(), "{}", text(&output));
    let n = n_events(&sandbox);
    let found = text(&output);
    assert!(found.contains(&format!("{n} events agree with each other, and with")), "{found}");
    assert!(found.contains(&format!("of event {n}.")), "{found}");
}

#[test]
fn without_an_anchor_it_is_consistent_and_no_more() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    let output = sandbox.nas(&["search", "search.toml"]).env("NAS_ANCHOR", "").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let output = sandbox.nas(&["audit", "verify", "last"]).env("NAS_ANCHOR", "").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let found = text(&output);
    assert!(found.contains("is consistent"), "{found}");
    assert!(found.contains("does not show that nobody changed it"), "{found}");
}

#[test]
fn a_changed_event_is_named() {
    check(
        "UPDATE events SET body = replace(body, '\"seed\":0', '\"seed\":1') WHERE seq = 1",
        "event 1 was changed",
    );
    check("UPDATE events SET time_ms = time_ms + 1 WHERE seq = 5", "event 5 was changed");
    check("UPDATE events SET hash = x'00' WHERE seq = 4", "event 4 was changed");
}

#[test]
fn a_removed_event_is_named() {
    check("DELETE FROM events WHERE seq = 5", "event 5 was removed");
    check("DELETE FROM events WHERE seq IN (4, 5, 6)", "events 4 to 6 were removed");
}

#[test]
fn a_removed_event_is_named_when_the_others_are_numbered_anew() {
    check(
        "DELETE FROM events WHERE seq IN (5, 6);
         UPDATE events SET seq = -(seq - 2) WHERE seq > 6;
         UPDATE events SET seq = -seq WHERE seq < 0;",
        "events 5 to 6 were removed",
    );
}

#[test]
fn an_inserted_event_is_named() {
    check(
        "UPDATE events SET seq = -(seq + 1) WHERE seq > 5;
         UPDATE events SET seq = -seq WHERE seq < 0;
         INSERT INTO events SELECT 6, time_ms, '{\"event\":\"told\",\"trials\":[]}', hash
           FROM events WHERE seq = 5;",
        "event 6 was inserted",
    );
}

#[test]
fn a_cut_tail_is_named_and_the_run_does_not_go_on() {
    let sandbox = finished();
    let n = n_events(&sandbox);
    edit(&sandbox, &format!("DELETE FROM events WHERE seq > {}", n - 3));
    let output = sandbox.run(&["audit", "verify", "last"]);
    assert_eq!(output.status.code(), Some(8), "{}", text(&output));
    let cut = format!("events {} to {n} were removed at the end", n - 2);
    assert!(text(&output).contains(&cut), "{}", text(&output));
    let output = sandbox.run(&["resume", "last", "--set", "budget.trials=9"]);
    assert_eq!(output.status.code(), Some(8), "{}", text(&output));
    assert!(text(&output).contains("is not what its supervisor wrote"), "{}", text(&output));
    assert_eq!(n_events(&sandbox), n - 3, "nothing was added");
}

#[test]
fn a_chain_that_was_written_anew_is_found_out() {
    let sandbox = finished();
    let n = n_events(&sandbox);
    forge(&sandbox.run_folder().unwrap());
    let output = sandbox.nas(&["audit", "verify", "last"]).env("NAS_ANCHOR", "").output().unwrap();
    assert!(output.status.success(), "the forgery agrees with itself: {}", text(&output));
    let output = sandbox.run(&["audit", "verify", "last"]);
    assert_eq!(output.status.code(), Some(8), "{}", text(&output));
    let found = text(&output);
    assert!(found.contains("the chain was written anew"), "{found}");
    let state = AnchorFile::at(&sandbox.path("state/nas/anchors.jsonl"));
    let anchors = state.of_run(&sandbox.run_folder().unwrap(), ChainHash::GENESIS).unwrap();
    assert_eq!(anchors.last().map(|anchor| anchor.seq), Some(n));
}

/// Makes the last trials better than they were, and every hash right again.
fn forge(run: &Path) {
    let connection = Connection::open(run.join("journal.sqlite")).unwrap();
    let mut read =
        connection.prepare("SELECT seq, time_ms, body FROM events ORDER BY seq").unwrap();
    let rows: Vec<(u64, u64, String)> = read
        .query_map((), |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64, row.get(2)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut head = Head::EMPTY;
    for (seq, time_ms, body) in rows {
        let body =
            if seq > 4 { body.replace("\"objectives\":[0", "\"objectives\":[1") } else { body };
        head = head.next(time_ms, &body);
        connection
            .execute(
                "UPDATE events SET body = ?1, hash = ?2 WHERE seq = ?3",
                (body, head.hash.0, seq as i64),
            )
            .unwrap();
    }
}

#[test]
fn every_event_is_exported_with_the_text_that_the_hashes_cover() {
    let sandbox = finished();
    let output = sandbox.run(&["audit", "export", "last"]);
    assert!(output.status.success(), "{}", text(&output));
    let exported = String::from_utf8(output.stdout).unwrap();
    let mut head = Head::EMPTY;
    for line in exported.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let body = line.split_once("\"event\":").unwrap().1.strip_suffix('}').unwrap();
        head = head.next(entry["time_ms"].as_u64().unwrap(), body);
        assert_eq!(entry["hash"], head.hash.to_string());
    }
    assert_eq!(head.seq, n_events(&sandbox));
}

#[test]
fn what_was_decided_is_shown() {
    let sandbox = finished();
    let shown = text(&sandbox.run(&["audit", "show", "last"]));
    assert!(shown.contains("started by version"), "{shown}");
    assert!(shown.contains("stopped: the budget of trials is spent"), "{shown}");
    assert!(shown.contains("events of trials are not shown"), "{shown}");
    let all = text(&sandbox.run(&["audit", "show", "last", "--all"]));
    assert!(all.contains("trial 0: attempt 0 begins"), "{all}");
    assert!(!all.contains("not shown"), "{all}");
}

#[test]
fn a_named_anchor_that_cannot_be_written_stops_a_search_before_it_begins() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    let output = sandbox
        .nas(&["search", "search.toml"])
        .env("NAS_ANCHOR", "nowhere/heads")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(11), "{}", text(&output));
    assert!(text(&output).contains("the anchor `nowhere/heads`"), "{}", text(&output));
}
