//! Help, lists, and how fast they are.

use std::time::{Duration, Instant};

use crate::support::Place;

#[test]
fn help_names_every_command() {
    let answer = Place::new().nas(&["--help"]);
    assert_eq!(answer.code, 0);
    for command in ["search", "resume", "stop", "runs", "show", "plugin", "space", "init", "check"]
    {
        assert!(answer.stdout.contains(&format!("\n  {command} ")), "{command} is in the help");
    }
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    let answer = Place::new().nas(&["serch"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("'search'"), "{}", answer.stderr);
}

/// The fastest of several, since a busy machine is no fault of ours.
#[test]
fn help_and_a_warm_list_come_at_once() {
    let place = Place::new();
    let limit = Duration::from_millis(50);
    for arguments in [&["--help"][..], &["plugin", "list"]] {
        place.nas(arguments);
        let fastest = (0..10)
            .map(|_| {
                let start = Instant::now();
                place.nas(arguments);
                start.elapsed()
            })
            .min();
        assert!(fastest < Some(limit), "{arguments:?} took {fastest:?}");
    }
}

#[test]
fn plugins_are_listed_and_shown() {
    let place = Place::new();
    let list = place.nas(&["plugin", "list"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    assert!(list.stdout.contains("regularized-evolution"), "{}", list.stdout);
    let shown = place.nas(&["plugin", "show", "regularized-evolution"]);
    for word in ["population", "sample_size", "whole number", "default"] {
        assert!(shown.stdout.contains(word), "{word} is in {}", shown.stdout);
    }
    let unknown = place.nas(&["plugin", "show", "evolutoin"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean `evolution`"), "{}", unknown.stderr);
}
