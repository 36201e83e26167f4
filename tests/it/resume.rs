//! Killed at any instant and resumed, a deterministic search ends as if nothing had happened.

use std::collections::HashSet;
use std::time::Duration;

use nas_core::journal::Event;

use crate::support::{Random, Sandbox, scores, story, text};

const CONFIGURATION: &str = r#"
name = "kill"
seed = 7
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "regularized-evolution", population = 10, sample_size = 3 }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
budget.trials = 80
execution = { workers = 2, deterministic = true }
[[policy]]
name = "limits"
max_parameters = 150_000
"#;

#[test]
fn killed_at_twenty_random_instants_a_search_ends_the_same() {
    let undisturbed = Sandbox::with_fake_worker("burn=0.02");
    undisturbed.configure(CONFIGURATION);
    undisturbed.search(&[]);

    let killed = Sandbox::with_fake_worker("burn=0.02");
    killed.configure(CONFIGURATION);
    let mut random = Random(20);
    let mut kills = 0;
    while kills < 20 {
        let mut supervisor = match killed.run_folder() {
            Some(folder) => killed.spawn(&["resume", folder.to_str().unwrap()]),
            None => killed.spawn(&["search", "search.toml"]),
        };
        std::thread::sleep(Duration::from_millis(20 + random.below(400)));
        if supervisor.try_wait().unwrap().is_some() && killed.run_folder().is_some() {
            break;
        }
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        kills += 1;
        killed.assert_workers_end_within(Duration::from_secs(2));
    }
    let folder = killed.run_folder().unwrap();
    let resumed = killed.run(&["resume", folder.to_str().unwrap()]);
    assert!(resumed.status.success(), "after {kills} kills: {}", text(&resumed));
    assert!(kills >= 10, "the search ended after {kills} kills");

    let (expected, found) = (undisturbed.events(), killed.events());
    assert_eq!(story(&found), story(&expected), "after {kills} kills");
    assert_eq!(scores(&found), scores(&expected));
    let mut ended = HashSet::new();
    for event in &found {
        match event {
            Event::Ended { trial, .. } => {
                assert!(ended.insert(*trial), "trial {trial} was evaluated twice");
            }
            Event::Dispatched { trial, .. } => {
                assert!(!ended.contains(trial), "finished trial {trial} was dispatched again");
            }
            _ => {}
        }
    }
    let champion = |events: &[Event]| {
        events.iter().rev().find_map(|event| match event {
            Event::Stopped { champion, .. } => Some(*champion),
            _ => None,
        })
    };
    assert_eq!(champion(&found), champion(&expected));
}

#[test]
fn a_larger_budget_continues_a_finished_run() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(CONFIGURATION);
    sandbox.search(&["--set", "budget.trials=5"]);
    let folder = sandbox.run_folder().unwrap();
    let again = sandbox.run(&["resume", folder.to_str().unwrap(), "--set", "budget.trials=9"]);
    assert!(again.status.success(), "{}", text(&again));
    let dispatched =
        sandbox.events().iter().filter(|event| matches!(event, Event::Dispatched { .. })).count();
    assert_eq!(dispatched, 9, "a larger budget continues the run");
}
