//! A run that waits for a person goes on when the person agrees, and not before.

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, Signer, text};

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

/// A run that waits for an approval with this key.
fn waiting_for(signer: &Signer) -> Sandbox {
    let sandbox = waiting();
    let policy = format!("organisation = \"the bank\"\napproval.key = \"{}\"", signer.key());
    std::fs::write(sandbox.path("policy.toml"), policy).unwrap();
    sandbox
}

const APPROVE: [&str; 6] = ["approve", "last", "--by", "Ada", "--reason", "it is worth it"];

#[track_caller]
fn check_under(sandbox: &Sandbox, arguments: &[&[&str]], code: i32, expected: &str) -> String {
    let mut nas = sandbox.nas(&arguments.concat());
    let output = nas.env("NAS_POLICY", "policy.toml").output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    assert!(text(&output).contains(expected), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Has the request for an approval signed, in a file of this name.
fn sign(sandbox: &Sandbox, signer: &Signer, name: &str, more: &[&str]) -> String {
    let request = check_under(sandbox, &[&APPROVE, more, &["--request"]], 0, "many_trials");
    std::fs::write(sandbox.path(name), request).unwrap();
    signer.sign(&sandbox.path(name));
    format!("{name}.minisig")
}

#[test]
fn an_approval_is_signed_where_the_organisation_names_a_key() {
    let signer = Signer::new();
    let sandbox = waiting_for(&signer);
    check_under(&sandbox, &[&APPROVE], 6, "must be signed with the key");
    let signature = sign(&sandbox, &signer, "request.json", &["--expires", "2999-12-31"]);
    let signed = ["--signature", &signature];
    check_under(&sandbox, &[&APPROVE, &signed], 6, "does not count: what was signed was changed");
    let forged = sign(&sandbox, &Signer::new(), "forged.json", &[]);
    check_under(&sandbox, &[&APPROVE, &["--signature", &forged]], 6, "another key signed it");
    check_under(&sandbox, &[&APPROVE, &signed, &["--expires", "2999-12-31"]], 0, "Approved");
    check_under(&sandbox, &[&["resume", "last"]], 0, "");
    check(&sandbox, &["audit", "show", "last"], 0, "until 2999-12-31, signed with");
}

#[test]
fn a_replayed_approval_does_not_count() {
    let signer = Signer::new();
    let (one, other) = (waiting_for(&signer), waiting_for(&signer));
    let signature = sign(&one, &signer, "request.json", &[]);
    std::fs::copy(one.path(&signature), other.path(&signature)).unwrap();
    let signed = ["--signature", &signature];
    check_under(&other, &[&APPROVE, &signed], 6, "does not count");
    check_under(&one, &[&APPROVE, &signed], 0, "Approved");
}

#[test]
fn an_approval_that_expired_does_not_count() {
    let signer = Signer::new();
    let sandbox = waiting_for(&signer);
    let old = ["--expires", "2020-01-31"];
    let signature = sign(&sandbox, &signer, "request.json", &old);
    let signed = ["--signature", &signature];
    check_under(&sandbox, &[&APPROVE, &signed, &old], 6, "could be used until 2020-01-31");
    check_under(&sandbox, &[&APPROVE, &["--expires", "soon"]], 2, "`soon` is no day");
}

#[test]
fn an_approval_that_nobody_signed_does_not_let_a_run_go_on() {
    let signer = Signer::new();
    let sandbox = waiting_for(&signer);
    // Where nobody asks for a signature, as before the organisation had a key.
    check(&sandbox, &APPROVE, 0, "Approved");
    check_under(&sandbox, &[&["resume", "last"]], 6, "must be signed with the key");
}

#[test]
fn an_unsigned_approval_of_one_policy_is_none_of_anothers() {
    let signer = Signer::new();
    let sandbox = Sandbox::with_fake_worker("");
    let asks = format!("name = \"approval\"\nsigner = \"{}\"\nmax_trials = 30", signer.key());
    // A condition of the user's own that asks for something of the same name.
    let own = CONFIGURATION.replace("many_trials", "trials");
    sandbox.configure(&format!("{own}\n[[policy]]\n{asks}"));
    let waits_for = |expected: &str| match sandbox.events().pop() {
        Some(Event::Stopped {
            reason: StopReason::AwaitingApproval { policy, threshold, .. },
            ..
        }) => {
            assert_eq!((policy.as_str(), threshold.as_str()), (expected, "trials"));
        }
        other => panic!("{other:?}"),
    };
    sandbox.run(&["search", "search.toml"]);
    waits_for("rules");
    check(&sandbox, &APPROVE, 0, "Approved");
    check(&sandbox, &["resume", "last"], 6, "");
    waits_for("approval");
    check(&sandbox, &APPROVE, 6, "must be signed with the key");
}
