//! How often the holdout is read, for whom, and what a leak looks like there.

use nas_core::journal::{Event, HoldoutOpened, StopReason};
use nas_plugin_api::verdict::HoldoutReading;

use crate::support::{Sandbox, rigged_digits, text};

/// A search whose trials are made up; whatever is read on the holdout is 0.875.
fn made_up(more: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(&format!(
        r#"
        operations.name = "nb201"
        space = {{ name = "nb201", cells = 1 }}
        strategy.name = "random"
        fitness.name = "accuracy"
        data.format = "digits"
        training.epochs = 2
        budget.trials = 60
        execution = {{ workers = 1, deterministic = true }}
        {more}
        "#
    ));
    sandbox
}

const OBSERVED: &str = "[[policy]]\nname = \"holdout-audit\"\nmode = \"observe\"";

fn opened(events: &[Event]) -> Vec<&HoldoutOpened> {
    let opened = events.iter().filter_map(|event| match event {
        Event::HoldoutOpened(opened) => Some(&**opened),
        _ => None,
    });
    opened.collect()
}

fn readings(events: &[Event]) -> Vec<HoldoutReading> {
    let read = |event: &Event| match event {
        Event::Audited { reading, .. } => reading.clone(),
        _ => None,
    };
    events.iter().filter_map(read).collect()
}

#[test]
fn without_a_policy_that_asks_the_holdout_is_read_once_and_the_journal_says_by_whom() {
    let sandbox = made_up("");
    sandbox.search(&[]);
    let events = sandbox.events();
    let reads = opened(&events);
    assert_eq!(reads.len(), 1);
    let HoldoutOpened { query, queries, trial, genotype, by, why, .. } = reads[0];
    assert_eq!((*query, *queries, by.as_str()), (1, 5, "nas"));
    assert_eq!(genotype.0.len(), 6);
    assert!(why.contains("the search is over"), "{why}");
    let HoldoutReading { trials, validation_images, holdout_images, holdout_accuracy, .. } =
        readings(&events).remove(0);
    assert_eq!(
        (trials, validation_images, holdout_images, holdout_accuracy),
        (60, 160, 200, 0.875)
    );
    let shown = text(&sandbox.run(&["show", "last"]));
    assert!(shown.contains("Is this result real?"), "{shown}");
    assert!(shown.contains("1 of 5 reads are used"), "{shown}");
    let record = text(&sandbox.run(&["audit", "show", "last"]));
    assert!(
        record.contains(&format!("opened for trial {trial}, 1 of 5 times, by nas")),
        "{record}"
    );
}

#[test]
fn a_policy_that_asks_has_new_champions_read_within_the_queries() {
    let sandbox =
        made_up(&format!("holdout = {{ queries = 3, trials_between_reads = 5 }}\n{OBSERVED}"));
    sandbox.search(&[]);
    let events = sandbox.events();
    let reads = opened(&events);
    assert!(reads.len() > 1 && reads.len() <= 3, "{reads:?}");
    assert!(reads.iter().all(|read| read.by == "policy holdout-audit"));
    let readings = readings(&events);
    assert!(readings[0].trials >= 5 && readings[1].trials >= readings[0].trials + 5);
    let trials: Vec<u64> = readings.iter().map(|reading| reading.trial).collect();
    assert!(trials.windows(2).all(|pair| pair[0] != pair[1]), "{trials:?}");
    let Some(Event::Stopped { champion, .. }) = events.last() else { panic!("it stopped") };
    assert_eq!(*champion, trials.last().copied(), "the answer is read before it is one");
}

#[test]
fn no_command_gives_reads_back() {
    let sandbox = made_up("holdout.queries = 2");
    sandbox.search(&["--set", "budget.trials=2"]);
    let mut n_trials = 2;
    let mut refused = String::new();
    while n_trials < 60 && refused.is_empty() {
        n_trials += 4;
        let printed =
            text(&sandbox.run(&["resume", "last", "--set", &format!("budget.trials={n_trials}")]));
        if printed.contains("could not be audited") {
            refused = printed;
        }
    }
    assert!(refused.contains("was read 2 times, of 2 that `holdout.queries` allows"), "{refused}");
    assert_eq!(opened(&sandbox.events()).len(), 2);
    let changed = sandbox.run(&["resume", "last", "--set", "holdout.queries=100"]);
    assert!(!changed.status.success(), "{}", text(&changed));
}

#[test]
fn a_read_that_was_cut_off_counts_and_is_charged_in_full() {
    let sandbox = made_up(&format!("holdout.trials_between_reads = 5\n{OBSERVED}"));
    sandbox.search(&["--set", "budget.trials=3"]);
    let folder = sandbox.run_folder().unwrap();
    let spent_before = spent(&sandbox);
    cut_off_in_a_read(&folder);
    sandbox.run(&["resume", "last", "--set", "budget.trials=4"]);
    let events = sandbox.events();
    let unread = events.iter().find_map(|event| match event {
        Event::HoldoutUnread { message, usage, .. } => Some((message.clone(), usage.cpu_seconds)),
        _ => None,
    });
    assert_eq!(unread, Some(("it was cut off".to_owned(), 7.5)));
    assert!(spent(&sandbox) >= spent_before + 7.5);
    assert_eq!(opened(&events).last().map(|read| read.query), Some(3));
}

/// Processor seconds.
fn spent(sandbox: &Sandbox) -> f64 {
    let shown = sandbox.run(&["show", "last", "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    shown["spent"]["cpu_seconds"].as_f64().unwrap()
}

/// Ends the journal as a supervisor does that dies while the holdout is open.
fn cut_off_in_a_read(run: &std::path::Path) {
    use nas_core::budget::{RealClock, Reservation};
    use nas_core::journal::{EventLog, Journal};
    let mut journal = Journal::open(run, std::sync::Arc::new(RealClock::new())).unwrap();
    let opened = HoldoutOpened {
        query: 2,
        queries: 5,
        trial: 0,
        genotype: nas_plugin_api::genotype::Genotype::default(),
        by: "policy holdout-audit".to_owned(),
        why: "trial 0 is the best of 3 now".to_owned(),
        reservation: Reservation { cpu_seconds: 7.5, ..Reservation::NOTHING },
    };
    journal.append(&[Event::HoldoutOpened(Box::new(opened))]).unwrap();
}

#[test]
fn a_policy_that_compares_needs_weights_that_are_kept() {
    let sandbox = made_up(OBSERVED);
    let set = "execution.keep_weights=none";
    let output = sandbox.run(&["check", "search.toml", "--set", set]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("compares with the holdout"), "{}", text(&output));
}

#[test]
fn a_search_is_taken_up_again_with_its_reads() {
    let sandbox = made_up(&format!("holdout.trials_between_reads = 5\n{OBSERVED}"));
    sandbox.search(&["--set", "budget.trials=30"]);
    let before = opened(&sandbox.events()).len();
    let again = sandbox.run(&["resume", "last", "--set", "budget.trials=60"]);
    assert!(again.status.success(), "{}", text(&again));
    let events = sandbox.events();
    let queries: Vec<u32> = opened(&events).iter().map(|read| read.query).collect();
    assert_eq!(queries, (1..=queries.len() as u32).collect::<Vec<_>>());
    assert!(queries.len() >= before && queries.len() <= 5);
}

/// Real training. The class is written into one pixel of training and validation images, and not of
/// the holdout: every network is nearly perfect, and knows nothing.
#[test]
fn labels_that_leak_into_a_pixel_are_caught() {
    let sandbox = Sandbox::with_real_worker();
    rigged_digits::write_leaky(&sandbox.path("leaky.npz"));
    sandbox.configure(
        r#"
        operations.name = "nb201"
        space = { name = "nb201", channels = 8, cells = 1 }
        strategy = { name = "regularized-evolution", population = 5, sample_size = 3 }
        fitness.name = "accuracy"
        data = { format = "npz", path = "leaky.npz" }
        training = { epochs = 6, batch_size = 32, learning_rate = 0.05 }
        budget = { trials = 30, wall_seconds = 60.0 }
        holdout.trials_between_reads = 5
        execution = { workers = 2, deterministic = true }
        policy = [{ name = "holdout-audit" }]
        "#,
    );
    let output = sandbox.run(&["search", "search.toml"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let events = sandbox.events();
    let Some(Event::Stopped { reason, champion, .. }) = events.last() else { panic!("it stopped") };
    let StopReason::PolicyHalt { policy, code, reason } = reason else { panic!("{reason}") };
    assert_eq!((policy.as_str(), code.as_str()), ("holdout-audit", "validation_only"));
    assert_eq!(*champion, None, "it is no answer either: {reason}");
    let trained = events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
    assert!(trained < 30, "{trained} trials: {}", text(&output));
    assert!(text(&output).contains("do not trust the validation accuracy"), "{}", text(&output));
}
