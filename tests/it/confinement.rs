//! Workers that try to get out: each way is refused by the kernel, costs its trial, and nothing else.

use std::time::Duration;

use nas_core::journal::Event;
use nas_plugin_api::trial::Outcome;

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
stop.heartbeat = "1h"
[budget]
trials = 6
trial_memory_bytes = 268435456
[execution]
workers = 2
"#;

/// A worker that tries this at trial 3 fails there, for this reason, and every other trial ends.
#[track_caller]
fn check(rule: &str, reason: &str) {
    let sandbox = Sandbox::with_fake_worker(&format!("{rule}@3"));
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
    let mut n_finished = 0;
    for event in sandbox.events() {
        let Event::Ended { trial, result, .. } = event else { continue };
        let text = result.reason.clone().unwrap_or_default();
        match trial {
            3 => {
                assert_eq!(result.outcome, Outcome::Failed, "{rule}: it was not refused");
                assert!(text.contains(reason), "{rule}: {text}");
            }
            _ => {
                assert_eq!(result.outcome, Outcome::Finished, "{rule}: trial {trial}: {text}");
                n_finished += 1;
            }
        }
    }
    assert_eq!(n_finished, 5, "{rule}");
    sandbox.assert_no_process_left(Duration::from_secs(2));
}

#[test]
fn a_worker_that_forks() {
    check("try-fork", "Operation not permitted");
}

#[test]
fn a_worker_that_becomes_another_program() {
    check("try-exec", "Permission denied");
}

#[test]
fn a_worker_that_leaves_its_process_group() {
    check("try-leave-group", "Operation not permitted");
}

#[test]
fn a_worker_that_wants_to_outlive_its_supervisor() {
    check("try-outlive", "Operation not permitted");
}

#[test]
fn a_worker_that_kills_its_supervisor() {
    check("try-kill-supervisor", "Operation not permitted");
}

#[test]
fn a_worker_that_moves_the_clock() {
    check("try-set-clock", "Operation not permitted");
}

#[test]
fn a_worker_that_raises_its_own_limits() {
    check("try-raise-limits", "Operation not permitted");
}

#[test]
fn a_worker_that_opens_a_network_socket() {
    check("try-socket", "Operation not permitted");
}

#[test]
fn a_worker_that_opens_a_local_socket() {
    check("try-local-socket", "Operation not permitted");
}

#[test]
fn a_worker_that_reads_the_holdout() {
    check("try-read-holdout", "Permission denied");
}

#[test]
fn a_worker_that_writes_outside_its_folder() {
    check("try-write-elsewhere", "Permission denied");
}

#[test]
fn a_worker_that_edits_the_journal() {
    check("try-edit-journal", "Permission denied");
}

#[test]
fn a_worker_that_moves_the_journal() {
    check("try-move-journal", "Permission denied");
}

#[test]
fn a_worker_that_gives_the_sign_of_life_for_its_user() {
    check("try-heartbeat", "Permission denied");
}

#[test]
fn a_worker_that_writes_a_huge_file() {
    check("try-huge-file", "SIGXFSZ");
}

/// The real worker trains, keeps weights, and is audited within the same bounds.
#[test]
fn training_and_audit_work_within_the_bounds() {
    let sandbox = Sandbox::with_real_worker();
    sandbox.configure(CONFIGURATION);
    let output = sandbox.search(&["--set", "budget.trials=2", "--set", "training.epochs=1"]);
    assert!(text(&output).contains("holdout_accuracy"), "{}", text(&output));
}

/// What `nas doctor` says of this machine is what the tests above need.
#[test]
fn doctor_says_that_everything_is_refused_here() {
    let sandbox = Sandbox::with_real_worker();
    let output = sandbox.run(&["doctor"]);
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    assert_eq!(printed.matches("refused (").count(), 8, "{printed}");
}
