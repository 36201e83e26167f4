//! Plugins that nobody vouches for: they run in processes of their own, a search is the same as
//! with trusted ones, and what they try is refused, stopped or reported.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, programs, scores, story, text};

const CONFIGURATION: &str = r#"
seed = 7
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "regularized-evolution", population = 10, sample_size = 3 }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
budget.trials = 60
execution = { workers = 2, deterministic = true, plugin_seconds = 2.0 }
[[policy]]
name = "limits"
max_parameters = 150_000
"#;

/// A search in which every component but those of workers is isolated.
fn isolated() -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("burn=0.02");
    sandbox.configure(&CONFIGURATION.replace("workers", r#"isolation = "all", workers"#));
    sandbox
}

/// Processes of this program's children that run components.
fn plugin_hosts(supervisor: u32) -> Vec<u32> {
    let parent = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let is_host = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "nas-plugin-host")
    };
    let all = std::fs::read_dir("/proc").unwrap();
    let numbers = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| is_host(pid) && parent(pid) == Some(supervisor)).collect()
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[track_caller]
fn assert_end_within(processes: &[u32], limit: Duration) {
    let began = Instant::now();
    while processes.iter().any(|&pid| is_alive(pid)) {
        assert!(began.elapsed() < limit, "{processes:?} outlive their supervisor");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until the journal has so many finished trials.
fn wait_for_trials(sandbox: &Sandbox, n: usize) {
    let began = Instant::now();
    loop {
        let ended = sandbox.run_folder().map_or(0, |_| scores(&sandbox.events()).len());
        if ended >= n {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "only {ended} trials ended");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn stop_reason(sandbox: &Sandbox) -> StopReason {
    let events = sandbox.events();
    let reason = events.into_iter().rev().find_map(|event| match event {
        Event::Stopped { reason, .. } => Some(reason),
        _ => None,
    });
    reason.expect("the run stopped")
}

#[track_caller]
fn trust(sandbox: &Sandbox, libraries: &[PathBuf]) {
    let mut command = sandbox.nas(&["plugin", "trust"]);
    let output = command.args(libraries).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_search_is_the_same_isolated_trusted_and_resumed() {
    let alone = isolated();
    alone.search(&[]);

    let trusting = Sandbox::with_fake_worker("burn=0.02");
    trusting.configure(CONFIGURATION);
    let built = std::fs::read_dir(programs()).unwrap().map(|entry| entry.unwrap().path());
    let built: Vec<PathBuf> =
        built.filter(|path| path.extension() == Some("so".as_ref())).collect();
    trust(&trusting, &built);
    let listed = text(&trusting.run(&["plugin", "list", "--json"]));
    assert!(!listed.contains("\"isolated\": true"), "{listed}");
    trusting.search(&[]);
    assert_eq!(story(&alone.events()), story(&trusting.events()));
    assert_eq!(scores(&alone.events()), scores(&trusting.events()));

    let killed = isolated();
    let mut supervisor = killed.spawn(&["search", "search.toml"]);
    wait_for_trials(&killed, 20);
    let hosts = plugin_hosts(supervisor.id());
    assert!(hosts.len() >= 3, "strategy, fitness and policy have processes: {hosts:?}");
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    assert_end_within(&hosts, Duration::from_secs(2));
    // What began isolated goes on trusted: the answers are the same.
    trust(&killed, &built);
    let resumed = killed.run(&["resume", "last"]);
    assert!(resumed.status.success(), "{}", text(&resumed));
    assert_eq!(story(&killed.events()), story(&alone.events()));
}

#[test]
fn a_plugin_host_that_is_killed_stops_the_run_and_it_can_be_resumed() {
    let undisturbed = isolated();
    undisturbed.search(&[]);

    let killed = isolated();
    let mut supervisor = killed.spawn(&["search", "search.toml"]);
    wait_for_trials(&killed, 20);
    for host in plugin_hosts(supervisor.id()) {
        let pid = rustix::process::Pid::from_raw(host as i32).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    let status = supervisor.wait().unwrap();
    assert!(!status.success());
    let reason = stop_reason(&killed);
    // Whichever component was called first: a policy's loss is its halt, any other ends the run.
    let told = match &reason {
        StopReason::PluginFailed { message, .. } => message.clone(),
        StopReason::PolicyHalt { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert!(told.contains("its process died of signal 9"), "{told}");
    let finished = scores(&killed.events());
    if matches!(reason, StopReason::PluginFailed { .. }) {
        let resumed = killed.run(&["resume", "last"]);
        assert!(resumed.status.success(), "{}", text(&resumed));
        assert_eq!(story(&killed.events()), story(&undisturbed.events()));
        assert!(finished.iter().all(|trial| scores(&killed.events()).contains(trial)));
    }
    killed.assert_workers_end_within(Duration::from_secs(2));
}

/// A sandbox with the plugin that tries what it may not.
fn with_villain(configuration: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    let plugins = sandbox.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::copy(programs().join("examples/libvillain.so"), plugins.join("libvillain.so"))
        .expect("run `make build` first");
    sandbox.configure(configuration);
    sandbox.with_plugins(&plugins)
}

fn villainous_strategy(misdeed: &str) -> Sandbox {
    let line = r#"strategy = { name = "regularized-evolution", population = 10, sample_size = 3 }"#;
    let villain = format!(r#"strategy = {{ name = "villain", misdeed = "{misdeed}" }}"#);
    with_villain(&CONFIGURATION.replace(line, &villain))
}

#[test]
fn an_untrusted_strategy_that_hangs_ends_its_process_and_not_the_supervisor() {
    let sandbox = villainous_strategy("hang");
    let output = sandbox.run(&["search", "search.toml"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let StopReason::PluginFailed { component, message } = stop_reason(&sandbox) else { panic!() };
    assert_eq!(component, "villain");
    assert!(message.contains("did not answer within 2 s"), "{message}");
}

#[test]
fn an_untrusted_strategy_dies_with_its_supervisor_whatever_it_does() {
    for misdeed in ["hang", "flood"] {
        let sandbox = villainous_strategy(misdeed);
        let mut supervisor =
            sandbox.spawn(&["search", "search.toml", "--set", "execution.plugin_seconds=60"]);
        let began = Instant::now();
        let hosts = loop {
            let hosts = plugin_hosts(supervisor.id());
            if sandbox.run_folder().is_some() && !hosts.is_empty() || misdeed == "flood" {
                break hosts;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "no process was started");
            std::thread::sleep(Duration::from_millis(10));
        };
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        assert_end_within(&hosts, Duration::from_secs(2));
    }
}

#[test]
fn an_untrusted_strategy_gets_nowhere_and_says_so_in_the_journal() {
    for misdeed in ["connect", "spawn", "thread", "outlive"] {
        let sandbox = villainous_strategy(misdeed);
        sandbox.run(&["search", "search.toml"]);
        let StopReason::StrategyDone { reason } = stop_reason(&sandbox) else { panic!() };
        assert!(reason.ends_with(": permission denied"), "{reason}");
    }
}

#[test]
fn a_policy_that_hangs_counts_as_halt() {
    let sandbox = with_villain(&format!(
        "{CONFIGURATION}[[policy]]\nname = \"villain\"\nmisdeed = \"hang\"\n"
    ));
    let output = sandbox.run(&["search", "search.toml"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let StopReason::PolicyHalt { policy, code, reason } = stop_reason(&sandbox) else { panic!() };
    assert_eq!((policy.as_str(), code.as_str()), ("villain", "policy_failed"));
    assert!(reason.contains("did not answer within 2 s"), "{reason}");
    assert!(scores(&sandbox.events()).is_empty(), "nothing was trained without its consent");
}

#[test]
fn an_organisation_requires_isolation_and_a_run_can_not_be_looser() {
    let sandbox = isolated();
    let policy = "organisation = \"the bank\"\nplugins.isolation = \"all\"\n";
    std::fs::write(sandbox.path("policy.toml"), policy).unwrap();
    let run = |more: &[&str]| {
        let arguments = [&["check", "search.toml"], more].concat();
        sandbox.nas(&arguments).env("NAS_POLICY", "policy.toml").output().unwrap()
    };
    assert!(run(&[]).status.success(), "{}", text(&run(&[])));
    let refused = run(&["--set", "execution.isolation=untrusted"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    let words = "`isolation` in `execution` is `untrusted`, and";
    assert!(text(&refused).contains(words), "{}", text(&refused));
    assert!(text(&refused).contains("has `all`"), "{}", text(&refused));
}

#[test]
fn a_library_is_trusted_by_its_bytes_until_it_is_not() {
    let sandbox = villainous_strategy("nothing");
    let library = sandbox.path("plugins/libvillain.so");
    let runs = |expected: &str| {
        let shown = text(&sandbox.run(&["plugin", "show", "strategy:villain"]));
        assert!(shown.contains(expected), "{shown}");
    };
    runs("in a process of its own");
    trust(&sandbox, std::slice::from_ref(&library));
    runs("with your rights");
    let again = text(&sandbox.run(&["plugin", "trust", path(&library)]));
    assert!(again.contains("was trusted already"), "{again}");
    let untrusted = text(&sandbox.run(&["plugin", "untrust", path(&library)]));
    assert!(untrusted.contains("not trusted any more"), "{untrusted}");
    runs("in a process of its own");
    let missing = sandbox.run(&["plugin", "trust", "nowhere.so"]);
    assert_eq!(missing.status.code(), Some(3), "{}", text(&missing));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
