//! A run that waits for a person goes on when the person agrees, and not before.

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 1
budget.trials = 45
execution = { workers = 1, keep_weights = "none" }

[[policy]]
name = "rules"
conditions = [
  { code = "many_trials", on = "progress", when = "completed >= 20", action = "pause", reason = "20 trials are a lot" },
  { code = "every_trial", on = "review", when = "trial > 100000", action = "warn" },
]
"#;

/// A run that waits.
fn waiting() -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    let output = sandbox.run(&["search", "search.toml"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let events = sandbox.events();
    let Some(Event::Stopped { reason: StopReason::AwaitingApproval { threshold, .. }, .. }) =
        events.last()
    else {
        panic!("{:?}", events.last());
    };
    assert_eq!(threshold, "many_trials");
    sandbox
}

#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], code: i32, expected: &str) {
    let output = sandbox.run(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    assert!(text(&output).contains(expected), "{}", text(&output));
}

#[test]
fn a_run_goes_on_once_it_is_approved() {
    let sandbox = waiting();
    let n_events = sandbox.events().len();
    check(&sandbox, &["resume", "last"], 6, "waits for approval of many_trials");
    check(&sandbox, &["show", "last"], 0, "--reason …  agree, so that it can go on");
    let more = ["resume", "last", "--set", "budget.trials=60"];
    check(&sandbox, &more, 6, "waits for approval of many_trials");
    assert_eq!(sandbox.events().len(), n_events, "nothing was journalled");
    let approve = ["approve", "last", "--by", "Ada", "--reason", "it is worth it"];
    check(&sandbox, &approve, 0, "Approved many_trials");
    check(&sandbox, &approve, 2, "Ada approved it already");
    check(&sandbox, &["resume", "last"], 0, "");
    let events = sandbox.events();
    let dispatched = events.iter().filter(|event| matches!(event, Event::Dispatched { .. }));
    assert_eq!(dispatched.count(), 45, "it was not asked again for what was approved");
    check(&sandbox, &["audit", "show", "last"], 0, "Ada approved many_trials");
    check(&sandbox, &["audit", "verify", "last"], 0, "is consistent");
    check(&sandbox, &approve, 2, "waits for no approval");
}

#[test]
fn a_run_that_was_denied_does_not_go_on() {
    let sandbox = waiting();
    check(&sandbox, &["deny", "last", "--by", "Ada", "--reason", "no"], 0, "Denied many_trials");
    check(&sandbox, &["resume", "last"], 6, "Ada denied the run approval");
    let approve = ["approve", "last", "--by", "Bob", "--reason", "yes"];
    check(&sandbox, &approve, 2, "Ada denied it already");
}

#[test]
fn a_decision_needs_a_reason_and_a_run_that_waits() {
    let sandbox = waiting();
    check(&sandbox, &["approve", "last", "--by", "Ada", "--reason", " "], 2, "needs a reason");
    check(&sandbox, &["approve", "last", "--by", "Ada"], 2, "--reason");
}

#[test]
fn an_approval_of_another_run_does_not_count() {
    let (one, other) = (waiting(), waiting());
    check(&one, &["approve", "last", "--by", "Ada", "--reason", "yes"], 0, "Approved");
    // Its event is put at the end of the other run's journal, with the number that is due there.
    let copy = |from: &Sandbox, to: &Sandbox| {
        let from = from.run_folder().unwrap().join("journal.sqlite");
        let to = to.run_folder().unwrap().join("journal.sqlite");
        let connection = rusqlite::Connection::open(to).unwrap();
        connection.execute("ATTACH ?1 AS other", [from.to_str().unwrap()]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO events SELECT (SELECT max(seq) + 1 FROM main.events), time_ms, body, \
                 hash FROM other.events ORDER BY seq DESC LIMIT 1",
            )
            .unwrap();
    };
    copy(&one, &other);
    let folder = other.run_folder_even_if_damaged();
    check(&other, &["resume", folder.to_str().unwrap()], 8, "was changed");
}
