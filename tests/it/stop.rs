//! A stop stops, and nothing outlives its supervisor.

use std::time::{Duration, Instant};

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 4
budget.trials = 1000
execution.workers = 2
"#;

fn running(rules: &str) -> (Sandbox, std::process::Child) {
    let sandbox = Sandbox::with_fake_worker(rules);
    sandbox.configure(CONFIGURATION);
    let supervisor = sandbox.spawn(&["search", "search.toml"]);
    let began = Instant::now();
    while sandbox.workers().len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "no worker started");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    (sandbox, supervisor)
}

fn wait(supervisor: &mut std::process::Child, limit: Duration) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = supervisor.try_wait().unwrap() {
            return status.code();
        }
        assert!(began.elapsed() < limit, "it does not stop");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nas_stop_lets_running_trials_end_and_the_run_can_be_resumed() {
    let (sandbox, mut supervisor) = running("slow=0.05");
    let stopped = sandbox.run(&["stop", "last"]);
    assert!(stopped.status.success(), "{}", text(&stopped));
    assert_eq!(wait(&mut supervisor, Duration::from_secs(5)), Some(7));
    let events = sandbox.events();
    assert!(matches!(events.last(), Some(Event::Stopped { reason: StopReason::Interrupted, .. })));
    let abandoned = events.iter().filter(|event| matches!(event, Event::Abandoned { .. }));
    assert_eq!(abandoned.count(), 0, "running trials were allowed to end");
    let resumed = sandbox.run(&["resume", "last", "--set", "budget.trials=60"]);
    assert!(resumed.status.success(), "{}", text(&resumed));
}

#[test]
fn nas_stop_now_ends_workers_that_ignore_signals() {
    let (sandbox, mut supervisor) = running("hang");
    let asked = Instant::now();
    let stopped = sandbox.run(&["stop", "last", "--now"]);
    assert!(stopped.status.success(), "{}", text(&stopped));
    wait(&mut supervisor, Duration::from_secs(5));
    sandbox.assert_workers_end_within(Duration::from_secs(2));
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[test]
fn a_killed_supervisor_takes_its_workers_and_their_children_along() {
    let (sandbox, mut supervisor) = running("fork,slow=0.2");
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    sandbox.assert_workers_end_within(Duration::from_secs(2));
}

#[test]
fn interrupted_twice_it_ends_at_once() {
    let (sandbox, mut supervisor) = running("slow=10");
    for _ in 0..2 {
        // SAFETY: a plain system call, on a child that was not waited for yet.
        unsafe { libc::kill(supervisor.id() as i32, libc::SIGINT) };
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(wait(&mut supervisor, Duration::from_secs(3)), Some(7));
    sandbox.assert_workers_end_within(Duration::from_secs(2));
}
