//! The events of a one-shot search: read back to the last bit, and what they add up to.

use std::sync::Arc;

use nas_core::budget::{FakeClock, Reservation};
use nas_core::journal::{Event, EventLog, Journal, SearchHistory};
use nas_core::protocol::Usage;
use nas_core::protocol::one_shot::{Checkpoint, OneShotEpoch};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::verdict::Spending;

fn epoch(round: u32, number: u32) -> Event {
    let checkpoint = Checkpoint {
        epoch: number,
        file: format!("epoch-{number}"),
        sha256: format!("{round}-{number}"),
    };
    let shown = OneShotEpoch {
        checkpoint,
        alpha: vec![0.1 + f64::from(number), f64::NAN, -1e-300],
        genotype: Some(Genotype(vec![1, 2, 3])),
        train_loss: f64::NAN,
        train_accuracy: 0.5,
        validation_loss: Some(f64::INFINITY),
        validation_accuracy: None,
        learning_rate: 0.025,
        signals: [("entropy".to_owned(), f64::NAN)].into(),
        plugin_calls: 7,
        plugin_seconds: 1e-5,
        usage: Usage::default(),
    };
    let usage = Usage { cpu_seconds: 1.0, ..Usage::default() };
    Event::SearchEpoch { round, epoch: Box::new(shown), usage, spent: Spending::default() }
}

fn dispatched(attempt: u32, resume_from: Option<u32>) -> Event {
    let infinite = f64::INFINITY;
    let reservation = Reservation {
        wall_seconds: infinite,
        cpu_seconds: infinite,
        gpu_seconds: 0.0,
        memory_bytes: 1 << 30,
    };
    Event::SearchDispatched { attempt, resume_from, reservation }
}

fn back(epoch: u32) -> Event {
    Event::SearchRolledBack { policy: "collapse".to_owned(), epoch, weight_decay_factor: 10.0 }
}

fn history(events: &[Event]) -> SearchHistory {
    let mut history = SearchHistory::default();
    events.iter().for_each(|event| history.apply(event));
    history
}

fn line(history: &SearchHistory) -> Vec<String> {
    history.line().map(|told| told.shown.checkpoint.sha256.clone()).collect()
}

#[test]
fn architecture_weights_that_are_no_numbers_survive_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), Arc::new(FakeClock::new())).unwrap();
    let events = [dispatched(0, None), epoch(0, 0)];
    journal.append(&events).unwrap();
    let read: Vec<Event> =
        journal.reader().events().map(|recorded| recorded.unwrap().event).collect();
    assert_eq!(read[0], events[0]);
    let Event::SearchEpoch { epoch, .. } = &read[1] else { panic!("{:?}", read[1]) };
    let bits = |value: f64| value.to_bits();
    assert_eq!((bits(epoch.alpha[0]), bits(epoch.alpha[2])), (bits(0.1), bits(-1e-300)));
    assert!(epoch.alpha[1].is_nan() && epoch.train_loss.is_nan());
    assert!(epoch.signals["entropy"].is_nan());
    assert_eq!(epoch.validation_loss, Some(f64::INFINITY));
}

#[test]
fn a_way_back_forgets_the_epochs_after_it() {
    let mut events = vec![dispatched(0, None)];
    events.extend((0..4).map(|number| epoch(0, number)));
    events.push(back(1));
    let mut found = history(&events);
    assert_eq!(line(&found), ["0-0", "0-1"]);
    assert_eq!((found.next_epoch(), found.round(), found.weight_decay_factor), (2, 1, 10.0));
    assert_eq!((found.roll_backs[0].from, found.roll_backs[0].to), (3, 1));
    found.apply(&epoch(1, 2));
    assert_eq!(line(&found), ["0-0", "0-1", "1-2"]);
    assert_eq!((found.epochs.len(), found.usage.cpu_seconds), (5, 5.0));
}

#[test]
fn an_epoch_is_undecided_until_something_follows_from_it() {
    let mut found = history(&[dispatched(0, None), epoch(0, 0)]);
    assert!(found.is_undecided && found.open.is_some());
    found.apply(&back(0));
    assert!(!found.is_undecided);
    found.apply(&epoch(1, 1));
    found.apply(&Event::SearchAbandoned {
        attempt: 0,
        usage: Usage { cpu_seconds: 2.0, ..Usage::default() },
        message: String::new(),
    });
    assert!(found.is_undecided && found.open.is_none());
    found.apply(&dispatched(1, Some(1)));
    assert!(!found.is_undecided);
    found.apply(&epoch(1, 2));
    let last = found.epochs.last().unwrap();
    assert_eq!(last.usage.cpu_seconds, 3.0, "what was lost in an epoch belongs to it");
}
