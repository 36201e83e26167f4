//! One-shot runs: every epoch is durable, reviewed, and repeated bit for bit after any death. The
//! strategies are real ones, the supernet is the fake worker's.

use std::time::{Duration, Instant};

use nas_core::journal::{Event, SearchEnd, SearchEndReason, StopReason};
use nas_core::protocol::one_shot::OneShotEpoch;

use crate::support::{Random, Sandbox, text};

const CONFIGURATION: &str = r#"
name = "one-shot"
seed = 7
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "darts", epochs = 8 }
supernet = { channels = 8, cells = 2, baseline = 2 }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 2
execution = { workers = 2, deterministic = true }
"#;

fn sandbox(rules: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker(rules);
    sandbox.configure(&format!("{CONFIGURATION}{more}"));
    sandbox
}

/// The epochs of a journal with their rounds, in order.
fn epochs(events: &[Event]) -> Vec<(u32, OneShotEpoch)> {
    let of = |event: &Event| match event {
        Event::SearchEpoch { round, epoch, .. } => Some((*round, (**epoch).clone())),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// What must be equal in equal searches, to the last bit: the checkpoint's digest covers weights,
/// strategy and random states.
fn story(events: &[Event]) -> Vec<String> {
    let bits =
        |values: &[f64]| -> Vec<u64> { values.iter().map(|value| value.to_bits()).collect() };
    epochs(events)
        .iter()
        .map(|(round, epoch)| {
            let OneShotEpoch { checkpoint, alpha, genotype, signals, .. } = epoch;
            let losses = [epoch.train_loss, epoch.train_accuracy, epoch.learning_rate];
            let validation = [epoch.validation_loss, epoch.validation_accuracy];
            format!(
                "{round} {checkpoint:?} {:?} {genotype:?} {signals:?} {:?} {validation:?}",
                bits(alpha),
                bits(&losses)
            )
        })
        .collect()
}

fn end(events: &[Event]) -> Option<SearchEnd> {
    let mut ends = events.iter().filter_map(|event| match event {
        Event::SearchEnded(end) => Some((**end).clone()),
        _ => None,
    });
    let end = ends.next();
    assert!(ends.next().is_none(), "a search ends once");
    end
}

fn stop_reason(events: &[Event]) -> &StopReason {
    match events.last() {
        Some(Event::Stopped { reason, .. }) => reason,
        other => panic!("the last event is {other:?}"),
    }
}

#[track_caller]
fn assert_no_epoch_twice(events: &[Event]) {
    let mut known = std::collections::HashSet::new();
    for (round, epoch) in epochs(events) {
        let number = epoch.checkpoint.epoch;
        assert!(known.insert((round, number)), "epoch {number} of round {round} is there twice");
    }
}

/// What follows from what was found; free of usage and of times.
fn found(events: &[Event]) -> (SearchEndReason, Option<u32>, String) {
    let end = end(events).expect("the search ended");
    (end.why, end.epoch, format!("{:?} {:?}", end.genotypes, end.baseline))
}

#[test]
fn every_epoch_is_in_the_journal_and_in_the_report() {
    let sandbox = sandbox("", "");
    let output = text(&sandbox.search(&[]));
    let events = sandbox.events();
    let shown = epochs(&events);
    let numbers: Vec<u32> = shown.iter().map(|(_, epoch)| epoch.checkpoint.epoch).collect();
    assert_eq!(numbers, (0..8).collect::<Vec<_>>());
    let folder = sandbox.run_folder().unwrap();
    for (round, epoch) in &shown {
        assert_eq!((*round, epoch.alpha.len()), (0, 30));
        assert!(epoch.genotype.is_some() && epoch.validation_accuracy.is_some());
        for name in ["skip_share", "entropy", "discretisation_gap"] {
            assert!(epoch.signals.contains_key(name), "{name} in {:?}", epoch.signals);
        }
        assert!(!epoch.signals.contains_key("hessian_eigenvalue"), "nobody asked for it");
        assert!(folder.join("checkpoints").join(&epoch.checkpoint.file).is_file());
    }
    let planned = events.iter().filter(|event| matches!(event, Event::SearchPlanned { .. }));
    assert_eq!(planned.count(), 1);
    let end = end(&events).unwrap();
    assert_eq!((end.genotypes.len(), end.baseline.len()), (1, 2));
    assert_eq!(Some(&end.genotypes[0]), shown[7].1.genotype.as_ref());
    let trained = events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
    let reused = events.iter().filter(|event| matches!(event, Event::Settled { .. })).count();
    assert_eq!(trained + reused, 3, "what was derived and two random ones");
    for words in [
        "Search on the supernet",
        "8 of 8 epochs of 4 steps",
        "validation loss",
        "Architecture weights after epoch 7",
        "edge_0_1",
        "Trained from scratch, at the same cost each",
        "mean and standard deviation of 2",
    ] {
        assert!(output.contains(words), "`{words}` in {output}");
    }
    let epoch = text(&sandbox.run(&["show", "last", "--epoch", "2"]));
    assert!(epoch.contains("Architecture weights after epoch 2"), "{epoch}");
    let unknown = sandbox.run(&["show", "last", "--epoch", "8"]);
    assert!(text(&unknown).contains("it has 0 to 7"), "{}", text(&unknown));
}

#[test]
fn killed_at_random_instants_supervisor_and_workers_a_search_ends_the_same() {
    let rules = "slow=0.02";
    let undisturbed = sandbox(rules, "");
    undisturbed.search(&["--set", "supernet.retries=1000"]);

    let killed = sandbox(rules, "");
    let mut random = Random(11);
    let mut kills = 0;
    while kills < 24 {
        let mut supervisor = match killed.run_folder() {
            Some(folder) => killed.spawn(&["resume", folder.to_str().unwrap()]),
            None => killed.spawn(&["search", "search.toml", "--set", "supernet.retries=1000"]),
        };
        std::thread::sleep(Duration::from_millis(40 + random.below(260)));
        if kills % 3 == 2 {
            for worker in killed.workers() {
                // SAFETY: a plain system call on a process of this test's own program.
                unsafe { libc::kill(worker as i32, libc::SIGKILL) };
            }
            std::thread::sleep(Duration::from_millis(random.below(200)));
        }
        if supervisor.try_wait().unwrap().is_some() && killed.run_folder().is_some() {
            break;
        }
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        kills += 1;
        killed.assert_workers_end_within(Duration::from_secs(2));
    }
    if let Some(folder) = killed.run_folder() {
        let resumed = killed.run(&["resume", folder.to_str().unwrap()]);
        assert!(resumed.status.success(), "after {kills} kills: {}", text(&resumed));
    }
    assert!(kills >= 4, "the search ended after {kills} kills");
    let (expected, events) = (undisturbed.events(), killed.events());
    assert_eq!(story(&events), story(&expected), "after {kills} kills");
    assert_eq!(found(&events), found(&expected));
    assert_no_epoch_twice(&events);
    assert_eq!(crate::support::scores(&events), crate::support::scores(&expected));
}

#[test]
fn a_worker_that_dies_in_an_epoch_is_replaced_and_the_epoch_repeated() {
    let undisturbed = sandbox("", "");
    undisturbed.search(&[]);
    for rules in ["search-die-once@0", "search-die-once@3,search-die-once@4"] {
        let sandbox = sandbox(rules, "");
        sandbox.search(&[]);
        let events = sandbox.events();
        assert_eq!(story(&events), story(&undisturbed.events()), "{rules}");
        assert_eq!(found(&events), found(&undisturbed.events()));
        let lost = events.iter().filter_map(|event| match event {
            Event::SearchAbandoned { message, .. } => Some(message),
            _ => None,
        });
        let lost: Vec<&String> = lost.collect();
        assert_eq!(lost.len(), rules.split(',').count());
        assert!(lost[0].contains("SIGSEGV"), "{}", lost[0]);
        assert!(lost[0].contains("last words"), "{}", lost[0]);
    }
}

#[test]
fn workers_that_die_again_and_again_end_the_run_with_the_reason() {
    let sandbox = sandbox("search-die@2", "");
    let output = sandbox.run(&["search", "search.toml"]);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output));
    let events = sandbox.events();
    assert_eq!(epochs(&events).len(), 2);
    let StopReason::WorkersFailed { message } = stop_reason(&events) else {
        panic!("{:?}", stop_reason(&events));
    };
    assert!(message.starts_with("3 died in a row in epoch 2"), "{message}");
    assert!(text(&output).contains("so far: edge_0_1="), "{}", text(&output));
}

#[test]
fn a_silent_worker_and_one_that_speaks_nonsense_are_replaced() {
    let sandbox = sandbox("search-hang-once@1", "");
    sandbox.search(&["--set", "supernet.silence_seconds=0.3"]);
    let events = sandbox.events();
    assert_eq!(epochs(&events).len(), 8);
    assert!(events.iter().any(|event| matches!(event,
        Event::SearchAbandoned { message, .. } if message.contains("said nothing for 0.3 s"))));

    let sandbox = crate::one_shot::sandbox("search-garbage@1", "");
    let output = sandbox.run(&["search", "search.toml"]);
    assert!(text(&output).contains("something else writes here"), "{}", text(&output));
}

#[test]
fn losses_that_are_no_numbers_end_the_search_and_keep_its_epochs() {
    let sandbox = sandbox("nan@4", "");
    let output = sandbox.run(&["search", "search.toml"]);
    let events = sandbox.events();
    assert_eq!(epochs(&events).len(), 4);
    assert!(
        matches!(stop_reason(&events), StopReason::SearchFailed { message }
            if message.contains("in epoch 4") && message.contains("not finite")),
        "{}",
        text(&output)
    );
}

/// From epoch 3 on the eigenvalue rises.
const COLLAPSE: &str = r#"
[[policy]]
name = "collapse"
epochs_between_evaluations = 1
window = 1
distance = 2
first_epoch = 0
"#;

#[test]
fn a_roll_back_without_more_ends_the_search_with_that_epochs_genotype() {
    let sandbox = sandbox("collapse=3", COLLAPSE);
    sandbox.search(&[]);
    let events = sandbox.events();
    let end = end(&events).unwrap();
    let SearchEndReason::Policy { policy, code, .. } = &end.why else { panic!("{end:?}") };
    assert_eq!((policy.as_str(), code.as_str(), end.epoch), ("collapse", "collapse", Some(2)));
    let shown = epochs(&events);
    assert!(shown.iter().all(|(_, epoch)| epoch.signals.contains_key("hessian_eigenvalue")));
    assert_eq!(shown.len(), 5, "epoch 4 is the first that is twice what was two before");
    assert_eq!(Some(&end.genotypes[0]), shown[2].1.genotype.as_ref());
    assert!(events.iter().any(|event| matches!(event, Event::Judged { enforced: true, .. })));
}

#[test]
fn a_roll_back_with_more_weight_decay_goes_on_from_there() {
    let adapt = format!(
        "{COLLAPSE}response = \"adapt\"\nweight_decay_factor = 100.0\nmax_weight_decay = 1.0\n"
    );
    let undisturbed = sandbox("collapse=3", &adapt);
    undisturbed.search(&[]);
    let events = undisturbed.events();
    let rounds: Vec<(u32, u32)> =
        epochs(&events).iter().map(|(round, epoch)| (*round, epoch.checkpoint.epoch)).collect();
    let expected: Vec<(u32, u32)> =
        (0..5).map(|epoch| (0, epoch)).chain((3..8).map(|epoch| (1, epoch))).collect();
    assert_eq!(rounds, expected);
    assert!(events.iter().any(|event| matches!(event,
        Event::SearchRolledBack { epoch: 2, weight_decay_factor, .. } if *weight_decay_factor == 100.0)));
    assert_eq!(found(&events).0, SearchEndReason::StrategyDone);

    // A worker that dies after the way back goes on with the same decay.
    let killed = sandbox("collapse=3,search-die-once@5,search-die-once@3", &adapt);
    killed.search(&[]);
    assert_eq!(story(&killed.events()), story(&events));
}

#[test]
fn a_way_back_to_a_checkpoint_that_is_gone_halts_and_says_so() {
    let adapt = format!("{COLLAPSE}response = \"adapt\"\n");
    let sandbox = sandbox("collapse=3", &adapt);
    let output = sandbox.run(&["search", "search.toml", "--set", "supernet.keep_checkpoints=2"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    assert!(text(&output).contains("`supernet.keep_checkpoints` is 2"), "{}", text(&output));
}

#[test]
fn an_observed_policy_is_written_down_and_not_obeyed() {
    let sandbox = sandbox("collapse=3", &format!("{COLLAPSE}mode = \"observe\"\n"));
    sandbox.search(&[]);
    let events = sandbox.events();
    assert_eq!((epochs(&events).len(), found(&events).0), (8, SearchEndReason::StrategyDone));
    assert!(events.iter().any(|event| matches!(event, Event::Judged { enforced: false, .. })));
}

#[test]
fn a_runaway_halts_the_run() {
    let policy = "[[policy]]\nname = \"runaway\"\nhighest_possible = 0.3\n";
    let sandbox = sandbox("", policy);
    let output = sandbox.run(&["search", "search.toml"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let events = sandbox.events();
    let n_epochs = epochs(&events).len();
    assert!((1..8).contains(&n_epochs), "{n_epochs}");
    assert!(
        matches!(stop_reason(&events), StopReason::PolicyHalt { policy, .. } if policy == "runaway")
    );
    // A person who takes it up again decides so: it goes on behind what was judged.
    let resumed = sandbox.run(&["resume", "last"]);
    assert!(epochs(&sandbox.events()).len() > n_epochs, "{}", text(&resumed));
}

#[test]
fn a_stop_waits_for_the_epochs_checkpoint_and_the_run_can_be_taken_up() {
    let undisturbed = sandbox("", "");
    undisturbed.search(&[]);
    let sandbox = sandbox("slow=0.1", "");
    let mut supervisor = sandbox.spawn(&["search", "search.toml"]);
    let began = Instant::now();
    while sandbox.run_folder().is_none() || epochs(&sandbox.events()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "no epoch ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stopped = sandbox.run(&["stop", "last"]);
    assert!(stopped.status.success(), "{}", text(&stopped));
    assert_eq!(supervisor.wait().unwrap().code(), Some(7));
    let events = sandbox.events();
    assert_eq!(stop_reason(&events), &StopReason::Interrupted);
    let n_epochs = epochs(&events).len();
    assert!((2..8).contains(&n_epochs), "the epoch under way ended: {n_epochs}");
    sandbox.assert_workers_end_within(Duration::from_secs(1));
    let resumed = sandbox.run(&["resume", "last"]);
    assert!(resumed.status.success(), "{}", text(&resumed));
    assert_eq!(story(&sandbox.events()), story(&undisturbed.events()));
    assert_eq!(found(&sandbox.events()), found(&undisturbed.events()));
}

#[test]
fn stopped_at_once_it_ends_in_the_middle_of_an_epoch() {
    let sandbox = sandbox("slow=20", "");
    let mut supervisor = sandbox.spawn(&["search", "search.toml"]);
    let began = Instant::now();
    let is_planned = |event: &Event| matches!(event, Event::SearchPlanned { .. });
    while sandbox.run_folder().is_none() || !sandbox.events().iter().any(is_planned) {
        assert!(began.elapsed() < Duration::from_secs(20), "no search began");
        std::thread::sleep(Duration::from_millis(10));
    }
    let asked = Instant::now();
    let stopped = sandbox.run(&["stop", "last", "--now"]);
    assert!(stopped.status.success(), "{}", text(&stopped));
    assert_eq!(supervisor.wait().unwrap().code(), Some(7));
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    sandbox.assert_workers_end_within(Duration::from_secs(1));
}

#[test]
fn the_last_epoch_counts_when_the_searchs_own_limit_is_reached() {
    let sandbox = sandbox("burn=0.05", "");
    sandbox.search(&["--set", "supernet.cpu_seconds=0.9"]);
    let events = sandbox.events();
    let (why, epoch, _) = found(&events);
    assert_eq!(why, SearchEndReason::BudgetSpent { budget: "supernet.cpu_seconds".to_owned() });
    let n_epochs = epochs(&events).len() as u32;
    assert!((1..8).contains(&n_epochs) && epoch == Some(n_epochs - 1), "{n_epochs} {epoch:?}");
    assert!(events.iter().any(|event| matches!(event, Event::Ended { .. })), "it was trained");
}

#[test]
fn the_whole_budget_is_never_overspent() {
    let sandbox = sandbox("burn=0.1", "");
    let output = sandbox.run(&["search", "search.toml", "--set", "budget.cpu_seconds=2.5"]);
    let events = sandbox.events();
    assert!(
        matches!(stop_reason(&events), StopReason::BudgetSpent { budget } if budget == "cpu_seconds"),
        "{}",
        text(&output)
    );
    let Some(Event::Stopped { spent, .. }) = events.last() else { panic!() };
    assert!(spent.cpu_seconds <= 2.5 && spent.cpu_seconds > 1.0, "{spent:?}");
    let folder = sandbox.run_folder().unwrap();
    let more = ["resume", folder.to_str().unwrap(), "--set", "budget.cpu_seconds=60"];
    let resumed = sandbox.run(&more);
    assert!(resumed.status.success(), "{}", text(&resumed));
    assert!(sandbox.events().iter().any(|event| matches!(event, Event::Ended { .. })));
}

#[test]
fn killing_a_supervisor_gives_no_free_compute() {
    let sandbox = sandbox("burn=0.2", "");
    let mut supervisor = sandbox.spawn(&["search", "search.toml"]);
    let began = Instant::now();
    while sandbox.run_folder().is_none() || epochs(&sandbox.events()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "no epoch ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    sandbox.assert_workers_end_within(Duration::from_secs(2));
    let before = sandbox.events().len();
    sandbox.run(&["resume", "last", "--set", "budget.cpu_seconds=0.5"]);
    let events = sandbox.events();
    let charged = events[before..].iter().find_map(|event| match event {
        Event::SearchAbandoned { usage, message, .. } => Some((usage.cpu_seconds, message)),
        _ => None,
    });
    let (seconds, message) = charged.expect("what was under way is charged");
    assert!(seconds > 0.9 && message.contains("cut off"), "{seconds} {message}");
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_runs() {
    #[track_caller]
    fn check(arguments: &[&str], more: &str, expected: &[&str]) {
        let sandbox = sandbox("", more);
        let output = sandbox.run(&[&["check", "search.toml"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        for words in expected {
            assert!(text(&output).contains(words), "`{words}` in {}", text(&output));
        }
    }
    check(&["--set", "strategy.batch_size=500"], "", &["batch_size", "500", "1 to 160"]);
    check(&["--set", "supernet.signals=[\"entropi\"]"], "", &["entropi", "hessian_eigenvalue"]);
    check(&["--set", "budget.trials=2"], "", &["budget.trials", "at least 3"]);
    check(&["--set", "supernet.sells=3"], "", &["sells", "cells"]);
    check(&["--set", "strategy.name=dart"], "", &["darts"]);
    check(&["--set", "strategy={name=\"random\"}"], "", &["supernet", "trains no supernet"]);
    let sandbox = Sandbox::with_fake_worker("");
    let plain = CONFIGURATION
        .replace("supernet = ", "#")
        .replace("strategy = { name = \"darts\", epochs = 8 }", "strategy.name = \"random\"");
    sandbox.configure(&format!("{plain}{COLLAPSE}"));
    let output = sandbox.run(&["check", "search.toml"]);
    assert!(text(&output).contains("one-shot search"), "{}", text(&output));
}

#[test]
fn every_one_shot_strategy_runs_to_its_end() {
    for name in [
        "darts",
        "darts-pt",
        "drnas",
        "fair-darts",
        "gdas",
        "p-darts",
        "pc-darts",
        "snas",
        "enas",
        "proxyless",
        "spos",
    ] {
        let sandbox = sandbox("steps=8", "");
        let strategy = format!("strategy={{name=\"{name}\", batch_size=32}}");
        let output = sandbox.run(&["search", "search.toml", "--set", &strategy]);
        assert!(output.status.success(), "{name}: {}", text(&output));
        let events = sandbox.events();
        assert_no_epoch_twice(&events);
        assert_eq!(found(&events).0, SearchEndReason::StrategyDone, "{name}");
    }
}
