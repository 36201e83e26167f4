//! Components in processes of their own: what they may not do, and how they end.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use nas_core::containment::Enforcement;
use nas_core::plugin::{Isolation, PluginLoadError, Registry, isolated};
use nas_plugin_api::component::{Ask, ComponentKind, SearchStrategy};
use serde_json::{Value, json};

use super::fixture::{Folders, context};

fn strategy(registry: &Registry, name: &str, config: &Value) -> Box<dyn SearchStrategy> {
    registry.strategy(name, config, &context()).expect("the strategy can be made")
}

/// Processes of `nas-plugin-host` that have loaded a library of these folders.
fn processes(folders: &Folders) -> Vec<i32> {
    let cache = folders.places.cache.display().to_string();
    let has_cache = |pid: &i32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(&cache)
    };
    let all = fs::read_dir("/proc").expect("Linux");
    let numbers = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(has_cache).collect()
}

#[test]
fn each_component_has_a_process_that_ends_with_it() {
    let folders = Folders::with(&["healthy"]);
    let registry = folders.scan();
    let source = &registry.find(ComponentKind::Strategy, "healthy").expect("it is there").source;
    assert!(registry.is_isolated(source));
    let (one, two) =
        (strategy(&registry, "healthy", &json!({})), strategy(&registry, "healthy", &json!({})));
    assert_eq!(processes(&folders).len(), 2);
    drop((one, two));
    assert_eq!(processes(&folders), [0; 0]);
}

#[test]
fn a_pin_lets_a_component_run_inside_and_isolation_of_all_does_not() {
    let folders = Folders::with_trusted(&["healthy"]);
    let registry = folders.scan();
    let inside = strategy(&registry, "healthy", &json!({}));
    assert_eq!(processes(&folders), [0; 0]);
    registry.isolate(Isolation::All);
    registry.isolate(Isolation::Untrusted);
    let isolated = strategy(&registry, "healthy", &json!({}));
    assert_eq!(processes(&folders).len(), 1);
    drop((inside, isolated));
}

#[test]
fn a_pin_that_the_rules_do_not_have_counts_for_nothing() {
    let folders = Folders::with_trusted(&["healthy"]);
    let registry = folders.scan();
    registry.trust_only(&["0".repeat(64)].into_iter().collect());
    let isolated = strategy(&registry, "healthy", &json!({}));
    assert_eq!(processes(&folders).len(), 1);
    drop(isolated);
}

#[test]
fn a_call_beyond_its_limit_ends_the_process() {
    let folders = Folders::with(&["hanging_strategy"]);
    let registry = folders.scan();
    registry.limit_calls(Duration::from_millis(500));
    let mut hanging = strategy(&registry, "hanging", &json!({}));
    let error = hanging.ask(1).expect_err("it hangs").to_string();
    assert_eq!(error, "answer: its process did not answer within 0.5 s and was killed");
    assert_eq!(processes(&folders), [0; 0]);
    let error = hanging.tell(&[]).expect_err("it is gone").to_string();
    assert_eq!(error, "answer: its process has ended");
}

#[test]
fn a_process_that_was_killed_is_told_with_its_signal() {
    let folders = Folders::with(&["healthy"]);
    let registry = folders.scan();
    let mut healthy = strategy(&registry, "healthy", &json!({}));
    for pid in processes(&folders) {
        let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        assert!(killed.expect("there is a `kill`").success());
    }
    let error = healthy.ask(1).expect_err("it was killed").to_string();
    assert_eq!(error, "answer: its process died of signal 9 (SIGKILL, it was killed)");
}

/// A process that a villain may aim at.
struct Victim(Child);

impl Victim {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").spawn().expect("there is a `sleep`"))
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().expect("it is a child").is_none()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What comes of a misdeed.
fn commit(folders: &Folders, misdeed: &str, file: &Path, victim: &Victim) -> String {
    let registry = folders.scan();
    registry.limit_calls(Duration::from_secs(20));
    let config = json!({"misdeed": misdeed, "file": file, "process": victim.0.id()});
    match strategy(&registry, "villain", &config).ask(1) {
        Ok(Ask::Done { reason }) => reason,
        Ok(other) => panic!("{misdeed}: {other:?}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(misdeed: &str, expected: &str) {
    let folders = Folders::with(&["villain"]);
    let containment = isolated::rehearse(&folders.places).expect("the program can be started");
    if containment.system_calls != Enforcement::Full {
        eprintln!("skipped: this kernel does not filter system calls ({containment:?})");
        return;
    }
    let file = folders.root.path().join("journal");
    fs::write(&file, "as it was").expect("a file");
    let mut victim = Victim::new();
    let outcome = commit(&folders, misdeed, &file, &victim);
    assert!(outcome.contains(expected), "{misdeed}: {outcome}");
    assert_eq!(fs::read_to_string(&file).expect("the file"), "as it was");
    assert!(victim.is_alive());
    assert_eq!(processes(&folders), [0; 0], "nothing is left of it");
}

#[test]
fn an_isolated_component_reads_no_file() {
    check("read", "Read: permission denied");
}

#[test]
fn an_isolated_component_writes_no_file() {
    check("write", "Write: permission denied");
}

#[test]
fn an_isolated_component_has_no_network() {
    check("connect", "Connect: permission denied");
}

#[test]
fn an_isolated_component_starts_no_program_process_or_thread() {
    check("spawn", "Spawn: permission denied");
    check("fork", "Fork: permission denied");
    check("thread", "Thread: permission denied");
}

#[test]
fn an_isolated_component_reaches_no_other_process() {
    check("kill", "Kill: permission denied");
    check("signal", "Signal: permission denied");
    check("trace", "Trace: permission denied");
}

#[test]
fn an_isolated_component_can_not_outlive_its_supervisor() {
    check("outlive", "Outlive: permission denied");
}

#[test]
fn an_isolated_component_that_wants_all_memory_ends_its_process_only() {
    check("bloat", "answer: its process died of signal 6 (SIGABRT, it aborted); it wrote:\nmemory");
}

#[test]
fn what_an_isolated_component_prints_does_not_garble_the_channel() {
    check("print", "Print: done");
    check("flood", "Flood: broken pipe");
    check("garble", "answer: its process sent no message and was killed (a message of 4294967295");
}

/// Without this, the checks above would pass if the plugin tried nothing.
#[test]
fn the_same_misdeeds_succeed_inside() {
    let folders = Folders::with_trusted(&["villain"]);
    let file = folders.root.path().join("journal");
    fs::write(&file, "as it was").expect("a file");
    let mut victim = Victim::new();
    for (misdeed, outcome) in [
        ("read", "Read: done"),
        ("write", "Write: done"),
        ("connect", "Connect: done"),
        ("spawn", "Spawn: done"),
        ("thread", "Thread: done"),
        ("kill", "Kill: done"),
    ] {
        assert_eq!(commit(&folders, misdeed, &file, &victim), outcome);
    }
    assert_eq!(fs::read_to_string(&file).expect("the file"), "as it wasx");
    assert!(!victim.0.wait().expect("it was killed").success());
    assert!(!victim.is_alive());
}

#[test]
fn a_component_that_can_not_be_made_is_told_with_its_library() {
    let folders = Folders::with(&["panicking_strategy"]);
    let registry = folders.scan();
    let made = registry.strategy("panicking", &json!({"when": "create"}), &context());
    let Some(PluginLoadError::Create { origin, source, .. }) = made.err() else { panic!() };
    assert!(origin.contains("libpanicking_strategy.so"), "{origin}");
    assert!(source.to_string().contains("panicked"), "{source}");
}
