//! Through a journal and back: nothing may be lost, least of all numbers.

use std::sync::Arc;

use nas_core::budget::FakeClock;
use nas_core::journal::{Event, EventLog, Journal};
use nas_plugin_api::measurement::{EpochRecord, Measurements};
use nas_plugin_api::verdict::{Action, QuestionKind, Verdict};
use proptest::prelude::*;

use super::samples::{ended, started};

/// The events as they are read back, and their texts.
fn through_a_journal(events: &[Event]) -> (Vec<Event>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), Arc::new(FakeClock::new())).unwrap();
    journal.append(events).unwrap();
    let reader = journal.reader();
    let texts = reader.entries().map(|entry| entry.unwrap().body).collect();
    (reader.events().map(|recorded| recorded.unwrap().event).collect(), texts)
}

fn with_number(number: f64) -> Event {
    let Event::Ended { trial, attempt, mut result, usage, .. } = ended(3, 0, number) else {
        unreachable!("`ended` makes an end")
    };
    let measured = Arc::make_mut(&mut result);
    measured.objectives = vec![number];
    measured.measurements = Measurements::from([("validation_loss", number)]);
    let curve = vec![EpochRecord {
        epoch: 0,
        learning_rate: number,
        train_loss: number,
        train_accuracy: number,
        validation_accuracy: Some(number),
    }];
    Event::Ended { trial, attempt, result, usage, curve }
}

fn numbers(event: &Event) -> Vec<u64> {
    let Event::Ended { result, usage, curve, .. } = event else { panic!("no end: {event:?}") };
    let epoch = &curve[0];
    [
        result.objectives[0],
        result.measurements.get("validation_loss").unwrap(),
        usage.cpu_seconds,
        epoch.learning_rate,
        epoch.train_loss,
        epoch.train_accuracy,
        epoch.validation_accuracy.unwrap(),
    ]
    .map(|number| if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() })
    .to_vec()
}

#[track_caller]
fn check_numbers(given: impl IntoIterator<Item = f64>) {
    let events: Vec<Event> = given.into_iter().map(with_number).collect();
    let (back, texts) = through_a_journal(&events);
    for ((event, back), text) in events.iter().zip(&back).zip(&texts) {
        assert_eq!(numbers(back), numbers(event), "{text}");
    }
}

#[test]
fn a_loss_that_is_no_number_is_kept() {
    check_numbers([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN]);
}

#[test]
fn extreme_numbers_are_kept() {
    check_numbers([f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 0.1 + 0.2, 1e23, 2.5e-308, 3.0]);
}

#[test]
fn an_absent_number_stays_absent_beside_one_that_is_not_finite() {
    let Event::Ended { trial, attempt, result, usage, .. } = ended(1, 0, f64::NAN) else {
        unreachable!("`ended` makes an end")
    };
    let epoch = EpochRecord {
        epoch: 0,
        learning_rate: 0.1,
        train_loss: f64::NAN,
        train_accuracy: 0.1,
        validation_accuracy: None,
    };
    let (back, _) =
        through_a_journal(&[Event::Ended { trial, attempt, result, usage, curve: vec![epoch] }]);
    let Event::Ended { curve, .. } = &back[0] else { panic!("{back:?}") };
    assert_eq!(curve[0].validation_accuracy, None);
    assert!(curve[0].train_loss.is_nan());
}

#[test]
fn a_text_that_looks_like_a_marked_number_stays_a_text() {
    for text in ["float:NaN", "float:", "float:float:inf", "float", "a float:NaN", "\"float:NaN"] {
        let verdict = Verdict::new(Action::Warn, text, text).with(text, f64::NAN).with("b", 1.0);
        let event = Event::Judged {
            policy: text.to_owned(),
            question: QuestionKind::Review,
            trial: Some(u64::MAX),
            verdict,
            enforced: true,
        };
        let (back, texts) = through_a_journal(&[event]);
        let Event::Judged { policy, trial, verdict, .. } = &back[0] else { panic!("{back:?}") };
        assert_eq!([policy, &verdict.code, &verdict.reason], [text; 3], "{}", texts[0]);
        assert_eq!(*trial, Some(u64::MAX));
        assert!(verdict.evidence[text].is_nan());
        assert_eq!(verdict.evidence["b"], 1.0);
    }
}

#[test]
fn the_text_is_plain_json() {
    let (_, texts) = through_a_journal(&[with_number(f64::NEG_INFINITY)]);
    let tree: serde_json::Value = serde_json::from_str(&texts[0]).unwrap();
    assert_eq!(tree["event"], "ended");
    assert_eq!(tree["result"]["objectives"][0], "float:-inf");
}

#[test]
fn settings_with_every_kind_of_value_are_kept() {
    let Event::Started(mut start) = started() else { unreachable!("`started` makes a start") };
    start.settings = serde_json::json!({
        "z": [1, -1, 0.1, u64::MAX, i64::MIN, true, null, "float:NaN"],
        "a": { "float:inf": {} },
    });
    let event = Event::Started(start);
    let (back, _) = through_a_journal(std::slice::from_ref(&event));
    assert_eq!(back, [event]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_bits_are_kept(bits in proptest::collection::vec(any::<u64>(), 200)) {
        check_numbers(bits.into_iter().map(f64::from_bits));
    }
}
