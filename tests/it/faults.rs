//! Plugins and workers that misbehave: a clear message or a failed trial, and nothing lost.

use nas_core::journal::Event;
use nas_plugin_api::trial::Outcome;

use crate::support::{Sandbox, programs, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
[budget]
trials = 12
trial_seconds = 1.0
trial_memory_bytes = 268435456
[execution]
workers = 2
plugin_seconds = 2.0
"#;

fn outcomes(events: &[Event]) -> Vec<(u64, Outcome, String)> {
    let outcome = |event: &Event| match event {
        Event::Ended { trial, result, .. } | Event::Settled { trial, result } => {
            Some((*trial, result.outcome, result.reason.clone().unwrap_or_default()))
        }
        _ => None,
    };
    events.iter().filter_map(outcome).collect()
}

/// A worker that misbehaves at trial 3 costs that trial and no other.
#[track_caller]
fn check_worker(rule: &str, expected: Outcome, reason: &str) {
    let sandbox = Sandbox::with_fake_worker(&format!("{rule}@3"));
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
    let outcomes = outcomes(&sandbox.events());
    let (_, outcome, text) = outcomes.iter().find(|(trial, ..)| *trial == 3).unwrap();
    assert_eq!(*outcome, expected, "{rule}: {text}");
    assert!(text.contains(reason), "{rule}: {text}");
    let finished = outcomes.iter().filter(|(_, outcome, _)| *outcome == Outcome::Finished);
    assert_eq!(finished.count(), 11, "{rule}: every other trial finished");
    assert!(sandbox.workers().is_empty());
}

#[test]
fn a_worker_that_segfaults() {
    check_worker("segfault", Outcome::Failed, "SIGSEGV");
}

#[test]
fn a_worker_that_exits() {
    check_worker("exit", Outcome::Failed, "ended with code 0");
}

#[test]
fn a_worker_that_hangs() {
    check_worker("hang", Outcome::TimedOut, "");
}

#[test]
fn a_worker_that_spins() {
    check_worker("spin", Outcome::TimedOut, "");
}

#[test]
fn a_worker_that_allocates_without_bound() {
    check_worker("bloat", Outcome::OutOfMemory, "");
}

#[test]
fn a_worker_that_writes_garbage() {
    check_worker("garbage", Outcome::Failed, "");
}

#[test]
fn a_worker_that_measures_no_number() {
    check_worker("nan", Outcome::Diverged, "validation_accuracy");
}

/// Puts one fixture library on the search path.
fn with_fixture(name: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    let plugins = sandbox.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let file = format!("lib{name}.so");
    std::fs::copy(programs().join("examples").join(&file), plugins.join(&file))
        .expect("run `make build` first");
    sandbox.with_plugins(&plugins)
}

/// A search with a component that fails ends with its reason, and can be shown.
#[track_caller]
fn check_plugin(fixture: &str, line: &str, swapped: &str, expected: &str) {
    let sandbox = with_fixture(fixture);
    sandbox.configure(&CONFIGURATION.replace(line, swapped));
    let output = sandbox.run(&["search", "search.toml"]);
    let printed = text(&output);
    assert!(printed.contains(expected), "{fixture}: {printed}");
    assert!(!printed.contains("panicked at nas"), "{fixture}: {printed}");
    if sandbox.run_folder().is_some() {
        let shown = sandbox.run(&["show", "last"]);
        assert!(shown.status.success(), "{fixture}: {}", text(&shown));
    }
}

#[test]
fn a_strategy_that_panics() {
    let swapped = r#"strategy.name = "panicking""#;
    check_plugin("panicking_strategy", r#"strategy.name = "random""#, swapped, "panicked");
}

#[test]
fn a_strategy_that_hangs() {
    let swapped = r#"strategy.name = "hanging""#;
    check_plugin("hanging_strategy", r#"strategy.name = "random""#, swapped, "did not answer");
}

#[test]
fn a_strategy_that_proposes_genotypes_of_no_space() {
    let sandbox = with_fixture("out_of_range_strategy");
    let swapped = r#"strategy.name = "out-of-range""#;
    sandbox.configure(&CONFIGURATION.replace(r#"strategy.name = "random""#, swapped));
    let output = sandbox.run(&["search", "search.toml", "--set", "execution.max_refusals=20"]);
    let outcomes = outcomes(&sandbox.events());
    assert!(!outcomes.is_empty(), "{}", text(&output));
    for (trial, outcome, reason) in outcomes {
        assert_eq!(outcome, Outcome::Invalid, "trial {trial}: {reason}");
    }
}

#[test]
fn a_fitness_that_is_no_number() {
    let sandbox = with_fixture("nan_fitness");
    let swapped = r#"fitness.name = "undefined""#;
    sandbox.configure(&CONFIGURATION.replace(r#"fitness.name = "accuracy""#, swapped));
    let output = sandbox.run(&["search", "search.toml"]);
    let outcomes = outcomes(&sandbox.events());
    assert!(!outcomes.is_empty(), "{}", text(&output));
    assert!(outcomes.iter().any(|(_, outcome, _)| *outcome == Outcome::Diverged));
}

#[test]
fn operations_with_an_invalid_graph() {
    let swapped = r#"operations.name = "invalid-graphs""#;
    let line = r#"operations.name = "nb201""#;
    check_plugin("invalid_graph_operations", line, swapped, "was asked for");
}

/// A library that can't be used is named with its reason, and everything else works.
#[track_caller]
fn check_library(name: &str, bytes: &[u8], expected: &str) {
    let sandbox = Sandbox::with_fake_worker("");
    let plugins = sandbox.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::write(plugins.join(name), bytes).unwrap();
    let sandbox = sandbox.with_plugins(&plugins);
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
    let listed = text(&sandbox.run(&["plugin", "list"]));
    assert!(listed.contains(expected), "{name}: {listed}");
}

#[test]
fn a_truncated_library() {
    let whole = std::fs::read(programs().join("libstrategy_random.so")).unwrap();
    check_library("libtruncated.so", &whole[..whole.len() / 2], "libtruncated.so");
    check_library("libshort.so", &whole[..4096], "libshort.so");
}

#[test]
fn a_library_of_another_interface() {
    let bytes = std::fs::read(programs().join("examples/libabi_major_2.so")).unwrap();
    check_library("libabi_major_2.so", &bytes, "libabi_major_2.so");
}

#[test]
fn a_random_file_is_no_plugin_and_does_no_harm() {
    let bytes: Vec<u8> =
        (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let sandbox = Sandbox::with_fake_worker("");
    let plugins = sandbox.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::write(plugins.join("librandom.so"), bytes).unwrap();
    let sandbox = sandbox.with_plugins(&plugins);
    sandbox.configure(CONFIGURATION);
    sandbox.search(&[]);
}
