//! A team's monthly quota, shared by runs in several processes.

use std::process::{Child, Stdio};
use std::time::Duration;

use nas_core::budget::{Clock, Quota, RealClock, TeamStanding};
use nas_core::journal::{Event, Journal, StopReason};

use crate::support::{Sandbox, text};

/// A sandbox with a quota, and a search that counts against it and would never end by itself.
fn limited(rules: &str, quota: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker(rules);
    std::fs::write(sandbox.path("quota.toml"), format!("[team.vision]\n{quota}")).unwrap();
    sandbox.configure(
        r#"
        operations.name = "nb201"
        space = { name = "nb201", cells = 1 }
        strategy.name = "random"
        fitness.name = "accuracy"
        data.format = "digits"
        training.epochs = 2
        budget.trial_seconds = 2.0
        quota = { file = "quota.toml", team = "vision" }
        execution = { workers = 2, keep_weights = "none" }
        "#,
    );
    sandbox
}

fn standing(sandbox: &Sandbox) -> TeamStanding {
    let now_ms = RealClock::new().unix_ms();
    Quota::standings(&sandbox.path("quota.toml"), now_ms).unwrap().remove(0)
}

fn search(sandbox: &Sandbox, seed: u64) -> Child {
    let seed = format!("seed={seed}");
    let mut nas = sandbox.nas(&["search", "search.toml", "--set", &seed]);
    nas.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What all runs of a sandbox used by their journals: trials and processor seconds.
fn used(sandbox: &Sandbox) -> (usize, f64) {
    let runs = std::fs::read_dir(sandbox.path("runs")).unwrap();
    let events = runs.flat_map(|run| {
        let journal = Journal::read_only(&run.unwrap().path()).unwrap();
        journal.verify().unwrap();
        journal.events().map(|recorded| recorded.unwrap().event).collect::<Vec<Event>>()
    });
    let (mut trials, mut cpu_seconds) = (0, 0.0);
    for event in events {
        match event {
            Event::Dispatched { attempt: 0, .. } => trials += 1,
            Event::Ended { usage, .. }
            | Event::Abandoned { usage, .. }
            | Event::Overhead { usage, .. } => cpu_seconds += usage.cpu_seconds,
            _ => {}
        }
    }
    (trials, cpu_seconds)
}

#[test]
fn four_processes_at_once_never_spend_more_than_their_quota() {
    let sandbox = limited("burn=0.05", "trials = 24\ncpu_seconds = 60.0");
    let runs: Vec<Child> = (0..4).map(|seed| search(&sandbox, seed)).collect();
    for mut run in runs {
        assert!(run.wait().unwrap().code().is_some_and(|code| code == 0 || code == 5));
    }
    let (trials, cpu_seconds) = used(&sandbox);
    assert_eq!(trials, 24, "all of it was used, and no more");
    let standing = standing(&sandbox);
    assert_eq!((standing.spent.trials, standing.held.cpu_seconds), (24, 0.0));
    assert!((standing.spent.cpu_seconds - cpu_seconds).abs() < 1e-6, "{standing:?}");
    let shown = text(&sandbox.run(&["quota", "quota.toml"]));
    assert!(shown.contains("vision") && shown.contains("24"), "{shown}");
    // Nothing is left for another one.
    sandbox.run(&["search", "search.toml"]);
    let spent = StopReason::BudgetSpent { budget: "quota.vision.trials".to_owned() };
    let last = sandbox.events().pop();
    assert!(matches!(&last, Some(Event::Stopped { reason, .. }) if *reason == spent), "{last:?}");
}

#[test]
fn processor_time_is_shared_and_never_overspent_whoever_is_killed() {
    let sandbox = limited("burn=0.15,setup-burn=0.02,lie@1%3", "cpu_seconds = 9.0");
    let mut killed = search(&sandbox, 0);
    let others: Vec<Child> = (1..3).map(|seed| search(&sandbox, seed)).collect();
    std::thread::sleep(Duration::from_millis(700));
    killed.kill().unwrap();
    killed.wait().unwrap();
    for mut run in others {
        // What a killed run holds may come back, so the others wait before they give up.
        let began = std::time::Instant::now();
        while run.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(90), "it waits for ever");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let (_, cpu_seconds) = used(&sandbox);
    assert!(cpu_seconds <= 9.0, "{cpu_seconds} of 9 s");
    let standing = standing(&sandbox);
    let claimed = standing.spent.cpu_seconds + standing.held.cpu_seconds;
    assert!(claimed <= 9.0 + 1e-6, "{standing:?}");
}

#[test]
fn a_quota_is_warned_of_and_named_by_the_check() {
    let sandbox = limited("", "trials = 5");
    let output = sandbox.run(&["search", "search.toml"]);
    assert!(output.status.success(), "{}", text(&output));
    let warned = |event: &Event| matches!(event, Event::BudgetWarning { budget, spent, .. } if budget == "quota.vision.trials" && *spent >= 4.0);
    assert!(sandbox.events().iter().any(warned), "at four fifths");
    for (set, expected) in [
        ("quota.team=speech", "no team `speech` (known: vision)"),
        ("quota.file=gone.toml", "gone.toml"),
    ] {
        let output = sandbox.run(&["check", "search.toml", "--set", set]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
}

#[test]
fn money_and_energy_are_budgets_like_any_other() {
    let sandbox = limited("burn=0.2", "trials = 1000");
    let output = sandbox.run(&["check", "search.toml", "--set", "budget.money=1.0"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("nothing costs any"), "{}", text(&output));
    // 3,600 an hour is 1 a second.
    let output = sandbox.run(&[
        "search",
        "search.toml",
        "--set",
        "budget.money=5.0",
        "--set",
        "budget.rates.price_per_cpu_hour=3600",
        "--set",
        "budget.rates.watts_per_cpu=100",
    ]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("of 5.0000 of money"), "{}", text(&output));
    let Some(Event::Stopped { reason, spent, .. }) = sandbox.events().pop() else {
        panic!("it did not stop");
    };
    assert_eq!(reason, StopReason::BudgetSpent { budget: "money".to_owned() });
    assert!(spent.money > 2.0 && spent.money <= 5.0, "{spent:?}");
    assert!((spent.money - spent.cpu_seconds).abs() < 1e-9, "{spent:?}");
    assert!((spent.energy_kwh - spent.cpu_seconds / 36_000.0).abs() < 1e-9, "{spent:?}");
}
