//! A stop stops, and nothing outlives its supervisor.

use std::time::{Duration, Instant};

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, programs, text};

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
    running_with(rules, "")
}

/// A search with these settings besides, and both of its workers at work.
fn running_with(rules: &str, settings: &str) -> (Sandbox, std::process::Child) {
    let sandbox = Sandbox::with_fake_worker(rules);
    sandbox.configure(&format!("{CONFIGURATION}{settings}"));
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

fn stop_reason(sandbox: &Sandbox) -> StopReason {
    match sandbox.events().pop() {
        Some(Event::Stopped { reason, .. }) => reason,
        other => panic!("the run has no end: {other:?}"),
    }
}

#[test]
fn nas_stop_with_a_deadline_waits_no_longer() {
    let (sandbox, mut supervisor) = running("slow=10");
    let asked = Instant::now();
    let stopped = sandbox.run(&["stop", "last", "--deadline", "1s"]);
    assert!(stopped.status.success(), "{}", text(&stopped));
    assert_eq!(wait(&mut supervisor, Duration::from_secs(5)), Some(7));
    assert!(asked.elapsed() >= Duration::from_secs(1), "{:?}", asked.elapsed());
    let events = sandbox.events();
    let abandoned = events.iter().filter(|event| matches!(event, Event::Abandoned { .. }));
    assert_eq!(abandoned.count(), 2, "both trials are tried again on resume");
    sandbox.assert_no_process_left(Duration::from_secs(2));
}

#[test]
fn a_deadline_that_is_none_says_what_would_be() {
    let (sandbox, mut supervisor) = running("slow=0.05");
    let output = sandbox.run(&["stop", "last", "--deadline", "soon"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("like `10m`"), "{}", text(&output));
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
}

#[test]
fn the_stop_file_of_the_settings_stops_every_run_that_names_it() {
    let (sandbox, mut supervisor) = running_with("slow=0.05", "stop.file = \"everybody-stop\"");
    std::fs::write(sandbox.path("everybody-stop"), "").unwrap();
    assert_eq!(wait(&mut supervisor, Duration::from_secs(5)), Some(7));
    let path = sandbox.path("everybody-stop");
    assert_eq!(stop_reason(&sandbox), StopReason::StopFile { path: path.clone() });
    // As long as it is there, nothing goes on.
    let before = sandbox.events().len();
    assert_eq!(sandbox.run(&["resume", "last"]).status.code(), Some(7));
    let more = sandbox.events().split_off(before);
    assert!(!more.iter().any(|event| matches!(event, Event::Dispatched { .. })), "{more:?}");
    std::fs::remove_file(path).unwrap();
    let resumed = sandbox.run(&["resume", "last", "--set", "budget.trials=60"]);
    assert!(resumed.status.success(), "{}", text(&resumed));
}

#[test]
fn a_run_that_nobody_gives_a_sign_of_life_ends() {
    let (sandbox, mut supervisor) = running_with("slow=10", "stop.heartbeat = \"4s\"");
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1500));
        let renewed = sandbox.run(&["heartbeat", "last"]);
        assert!(renewed.status.success(), "{}", text(&renewed));
    }
    assert_eq!(supervisor.try_wait().unwrap(), None, "three signs of life kept it alive");
    let last_sign = Instant::now();
    assert_eq!(wait(&mut supervisor, Duration::from_secs(10)), Some(12));
    assert!(last_sign.elapsed() < Duration::from_millis(5500), "{:?}", last_sign.elapsed());
    assert!(matches!(stop_reason(&sandbox), StopReason::HeartbeatLapsed { .. }));
    sandbox.assert_no_process_left(Duration::from_secs(2));
    let signs =
        sandbox.events().iter().filter(|one| matches!(one, Event::Heartbeat { .. })).count();
    assert_eq!(signs, 3);

    let resumed = sandbox.run(&["resume", "last"]);
    assert_eq!(resumed.status.code(), Some(12), "{}", text(&resumed));
    assert!(text(&resumed).contains("nas heartbeat"), "{}", text(&resumed));
    // Touching the file is as good as the command.
    std::fs::write(sandbox.run_folder().unwrap().join("heartbeat"), "").unwrap();
    let mut supervisor = sandbox.spawn(&["resume", "last"]);
    std::thread::sleep(Duration::from_millis(1000));
    assert_eq!(supervisor.try_wait().unwrap(), None, "it goes on");
    assert_eq!(wait(&mut supervisor, Duration::from_secs(10)), Some(12));
}

#[test]
fn killing_and_resuming_again_and_again_does_not_outlast_the_heartbeat() {
    let (sandbox, mut supervisor) = running_with("slow=10", "stop.heartbeat = \"3s\"");
    let mut sessions = 1;
    let ended = loop {
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        supervisor = sandbox.spawn(&["resume", "last"]);
        sessions += 1;
        assert!(sessions < 10, "it is still going on");
        let resumed = |event: &Event| matches!(event, Event::Resumed { .. });
        while sandbox.events().iter().filter(|event| resumed(event)).count() + 1 < sessions
            && supervisor.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
        if let Some(status) = supervisor.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(ended.code(), Some(12), "after {sessions} sessions");
}

#[test]
fn a_plugin_that_hangs_does_not_delay_a_stop() {
    let sandbox = Sandbox::with_fake_worker("slow=0.05");
    let plugins = sandbox.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let library = "libhanging_strategy.so";
    std::fs::copy(programs().join("examples").join(library), plugins.join(library))
        .expect("run `make build` first");
    let sandbox = sandbox.with_plugins(&plugins);
    sandbox.configure(&CONFIGURATION.replace("\"random\"", "\"hanging\""));
    let mut supervisor = sandbox.spawn(&["search", "search.toml"]);
    let began = Instant::now();
    while sandbox.run_folder().is_none() {
        assert!(began.elapsed() < Duration::from_secs(20), "no run began");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    let asked = Instant::now();
    assert!(sandbox.run(&["stop", "last", "--now"]).status.success());
    assert_eq!(wait(&mut supervisor, Duration::from_secs(10)), Some(7));
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    sandbox.assert_no_process_left(Duration::from_secs(2));
}
