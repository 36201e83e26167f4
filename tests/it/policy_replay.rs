//! What policies would have done in a run is what they do in one.

use nas_core::journal::Event;
use serde_json::Value;

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "evolution", population = 8, generations = 6 }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
execution = { workers = 1, deterministic = true }
"#;

const POLICIES: &str = r#"
[[policy]]
name = "limits"
max_parameters = 60000

[[policy]]
name = "runaway"
highest_possible = 0.01
mode = "observe"

[[policy]]
name = "convergence"
after = 3
threshold = 0.01
"#;

fn objections(sandbox: &Sandbox, file: &str) -> Vec<Value> {
    let output = sandbox.run(&["policy", "replay", "last", "--policy", file, "--json"]);
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Question, trial and verdict of each objection that a journal has.
fn journalled(events: &[Event]) -> Vec<(Value, Value, Value)> {
    let judged = |event: &Event| match event {
        Event::Judged { question, trial, verdict, .. } => Some((
            serde_json::to_value(question).unwrap(),
            serde_json::to_value(trial).unwrap(),
            serde_json::to_value(verdict).unwrap(),
        )),
        _ => None,
    };
    events.iter().filter_map(judged).collect()
}

#[test]
fn the_policies_of_a_run_say_in_hindsight_what_they_said() {
    let sandbox = Sandbox::with_fake_worker("");
    let observed = POLICIES.replace("threshold = 0.01", "threshold = 0.01\nmode = \"observe\"");
    sandbox.configure(&format!("{CONFIGURATION}{observed}"));
    sandbox.search(&[]);
    let events = sandbox.events();
    let said = journalled(&events);
    assert!(said.len() > 3, "{said:?}");
    let replayed: Vec<(Value, Value, Value)> = objections(&sandbox, "search.toml")
        .iter()
        .map(|one| (one["question"].clone(), one["trial"].clone(), one["verdict"].clone()))
        .collect();
    let mut said_sorted: Vec<String> = said.iter().map(|one| format!("{one:?}")).collect();
    let mut again: Vec<String> = replayed.iter().map(|one| format!("{one:?}")).collect();
    // A review is written down before or after what is written with it.
    said_sorted.sort();
    again.sort();
    assert_eq!(again, said_sorted);
}

#[test]
fn stricter_policies_say_where_they_would_have_ended_a_run() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
    std::fs::write(sandbox.path("strict.toml"), POLICIES).unwrap();
    let n_events = sandbox.events().len();
    let output = sandbox.run(&["policy", "replay", "last", "--policy", "strict.toml"]);
    assert!(output.status.success(), "{}", text(&output));
    let shown = text(&output);
    assert!(shown.contains("trials would have been refused"), "{shown}");
    assert!(shown.contains("would have ended the run at event"), "{shown}");
    assert!(shown.contains("(observed only)"), "{shown}");
    assert_eq!(sandbox.events().len(), n_events, "the journal stays as it is");
    // The same search under these policies refuses the same candidates up to its first answer.
    let first = |objections: &[Value]| {
        objections.iter().find(|one| one["question"] == "candidate").map(|one| one["trial"].clone())
    };
    let in_hindsight = first(&objections(&sandbox, "strict.toml"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sandbox.configure(&format!("{CONFIGURATION}{POLICIES}"));
    sandbox.run(&["search", "search.toml"]);
    let live = journalled(&sandbox.events());
    let live = live.iter().find(|(question, ..)| question == "candidate");
    assert_eq!(in_hindsight, live.map(|(_, trial, _)| trial.clone()));
}

#[test]
fn a_one_shot_run_is_judged_epoch_by_epoch() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(
        r#"
        operations.name = "nb201"
        space = { name = "nb201", cells = 1 }
        strategy = { name = "darts", epochs = 4 }
        supernet = { channels = 8, cells = 2, baseline = 1 }
        fitness.name = "accuracy"
        data.format = "digits"
        training.epochs = 1
        execution = { workers = 1, deterministic = true }
        [[policy]]
        name = "convergence"
        after = 1
        threshold = 0.0
        mode = "observe"
        "#,
    );
    let output = sandbox.run(&["search", "search.toml"]);
    let events = sandbox.events();
    let said = journalled(&events);
    assert!(!said.is_empty(), "{}", text(&output));
    let again: Vec<Value> =
        objections(&sandbox, "search.toml").iter().map(|one| one["verdict"].clone()).collect();
    let said: Vec<Value> = said.into_iter().map(|(_, _, verdict)| verdict).collect();
    assert_eq!(again, said);
}

#[test]
fn a_file_without_policies_is_refused() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
    let output = sandbox.run(&["policy", "replay", "last", "--policy", "search.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("the file has no policies"), "{}", text(&output));
}
