//! One-shot searches with libtorch: killed in the middle of an epoch, they end bit for bit the same.

use std::time::{Duration, Instant};

use nas_core::journal::Event;

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
name = "darts"
seed = 1
operations.name = "darts"
space = { name = "darts", cells = 3, channels = 4, nodes = 2 }
strategy = { name = "darts", epochs = 4, batch_size = 64, alpha_learning_rate = 0.02 }
supernet = { threads = 1, baseline = 1 }
fitness.name = "accuracy"
data.format = "digits"
training = { epochs = 1, batch_size = 64 }
execution = { workers = 1, deterministic = true }
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_own_real_worker();
    sandbox.configure(CONFIGURATION);
    sandbox
}

/// Each epoch's architecture weights, losses and checkpoint, to the last bit, and what was derived.
fn story(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::SearchEpoch { epoch, .. } => {
                let alpha: Vec<u64> = epoch.alpha.iter().map(|number| number.to_bits()).collect();
                let loss = epoch.train_loss.to_bits();
                Some(format!("{:?} {alpha:?} {loss} {:?}", epoch.checkpoint, epoch.genotype))
            }
            Event::SearchEnded(end) => Some(format!("{:?} {:?}", end.genotypes, end.baseline)),
            _ => None,
        })
        .collect()
}

/// Waits until an epoch is journalled, and then a little, into the next one.
fn wait_into_an_epoch(sandbox: &Sandbox, epochs: usize) {
    let began = Instant::now();
    loop {
        let known = sandbox.run_folder().map_or(0, |_| {
            let is_epoch = |event: &&Event| matches!(event, Event::SearchEpoch { .. });
            sandbox.events().iter().filter(is_epoch).count()
        });
        if known >= epochs {
            break std::thread::sleep(Duration::from_millis(150));
        }
        assert!(began.elapsed() < Duration::from_secs(120), "no epoch ended");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn killed_in_the_middle_of_an_epoch_a_search_ends_bit_for_bit_the_same() {
    let undisturbed = sandbox();
    undisturbed.search(&[]);
    let expected = story(&undisturbed.events());
    assert_eq!(expected.len(), 5, "{expected:?}");

    // The worker.
    let killed = sandbox();
    let mut supervisor = killed.spawn(&["search", "search.toml"]);
    wait_into_an_epoch(&killed, 1);
    for worker in killed.workers() {
        // SAFETY: a plain system call on a process of this test's own program.
        unsafe { libc::kill(worker as i32, libc::SIGKILL) };
    }
    assert!(supervisor.wait().unwrap().success());
    let events = killed.events();
    let is_lost = |event: &Event| matches!(event, Event::SearchAbandoned { .. });
    assert!(events.iter().any(is_lost), "the worker died while it searched");
    assert_eq!(story(&events), expected);

    // The supervisor.
    let killed = sandbox();
    let mut supervisor = killed.spawn(&["search", "search.toml"]);
    wait_into_an_epoch(&killed, 2);
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    killed.assert_workers_end_within(Duration::from_secs(2));
    assert!(story(&killed.events()).len() < 5, "it was killed before its end");
    let folder = killed.run_folder().unwrap();
    let resumed = killed.run(&["resume", folder.to_str().unwrap()]);
    assert!(resumed.status.success(), "{}", text(&resumed));
    assert_eq!(story(&killed.events()), expected);
}

/// The network is tiny and the machine may be busy with other tests, so this bound is loose; `make
/// bench` measures the share of a step of the published supernet.
#[test]
fn calls_of_the_strategy_are_counted_and_timed() {
    let sandbox = sandbox();
    sandbox.search(&["--set", "strategy.epochs=2"]);
    let (mut calls, mut inside, mut used) = (0, 0.0, 0.0);
    for event in sandbox.events() {
        if let Event::SearchEpoch { epoch, .. } = event {
            calls += epoch.plugin_calls;
            inside += epoch.plugin_seconds;
            used += epoch.usage.wall_seconds;
        }
    }
    // A batch is an architecture step and a weight step.
    assert!(calls >= 2 * 2 * 15, "{calls} calls");
    assert!(inside < 0.02 * used, "{inside} of {used} seconds in {calls} calls");
}
