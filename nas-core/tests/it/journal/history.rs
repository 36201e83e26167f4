//! What events add up to.

use nas_core::journal::{Event, RunHistory, Step, StopReason};
use nas_core::protocol::Usage;
use nas_plugin_api::genotype::Genotype;
use proptest::prelude::*;

use super::samples::{asked, dispatched, ended, started, stopped, ticked};

fn abandoned(trial: u64, attempt: u32) -> Event {
    Event::Abandoned { trial, attempt, usage: Usage { cpu_seconds: 120.0, ..Usage::default() } }
}

fn told(trials: &[u64]) -> Event {
    Event::Told { trials: trials.to_vec() }
}

fn resumed() -> Event {
    Event::Resumed { settings: None, version: "0.1.1".to_owned() }
}

#[test]
fn a_history_keeps_the_order_of_asks_and_tells() {
    let history = RunHistory::of(&[
        started(),
        asked(0, &[4]),
        asked(1, &[5]),
        dispatched(0, 0),
        dispatched(1, 0),
        ended(1, 0, 2.0),
        told(&[1]),
        asked(2, &[6]),
        ended(0, 0, 3.0),
        told(&[0]),
    ]);
    let order: Vec<String> = history
        .steps
        .iter()
        .map(|step| match step {
            Step::Asked { .. } => "ask".to_owned(),
            Step::Told { trials } => format!("tell {trials:?}"),
        })
        .collect();
    assert_eq!(order, ["ask", "ask", "tell [1]", "ask", "tell [0]"]);
    assert_eq!(history.proposed(), 3);
    assert_eq!(history.proposal(2).unwrap().genotype, Genotype(vec![6]));
    assert_eq!(history.proposal(3), None);
    assert_eq!(history.unfinished().collect::<Vec<_>>(), [2]);
    assert_eq!(history.tally.spent().cpu_seconds, 5.0);
    assert_eq!(history.tally.spent().trials, 2);
}

#[test]
fn attempts_without_an_end_are_open() {
    let history = RunHistory::of(&[
        started(),
        dispatched(0, 0),
        dispatched(1, 0),
        dispatched(2, 0),
        ended(1, 0, 1.0),
        abandoned(2, 0),
        dispatched(2, 1),
    ]);
    assert_eq!(history.open.keys().collect::<Vec<_>>(), [&(0, 0), &(2, 1)]);
    assert_eq!(history.attempts[&2], 2);
    assert_eq!(history.usage[&2].cpu_seconds, 120.0);
    assert_eq!(history.tally.spent().trials, 3, "a second attempt is no new trial");
}

#[test]
fn a_resume_takes_the_end_back() {
    let mut history = RunHistory::of(&[started(), stopped(9.0)]);
    assert_eq!(history.stop.as_ref().unwrap().reason, StopReason::Interrupted);
    history.apply(&resumed());
    assert_eq!((history.stop, history.sessions), (None, 2));
    assert_eq!(history.settings["seed"], 7);
}

#[test]
fn an_end_that_was_journalled_costs_no_more_and_one_that_was_not_costs_a_tick() {
    let mut clean = RunHistory::of(&[started(), ticked(8.0), stopped(9.0), resumed()]);
    assert_eq!(clean.tally.spent().wall_seconds, 9.0);
    // Killed twice, before anything else was journalled.
    clean.apply(&resumed());
    clean.apply(&resumed());
    assert_eq!(clean.tally.spent().wall_seconds, 9.0 + 2.0 * nas_core::budget::TICK_SECONDS);
}

fn any_event() -> impl Strategy<Value = Event> {
    let trial = || 0..6_u64;
    prop_oneof![
        Just(started()),
        Just(resumed()),
        (trial(), any::<u16>()).prop_map(|(trial, value)| asked(trial, &[value])),
        (trial(), 0..3_u32).prop_map(|(trial, attempt)| dispatched(trial, attempt)),
        (trial(), 0..3_u32, 0.0..9.0).prop_map(|(trial, attempt, cpu)| ended(trial, attempt, cpu)),
        (trial(), 0..3_u32).prop_map(|(trial, attempt)| abandoned(trial, attempt)),
        trial().prop_map(|trial| told(&[trial])),
        (0.0..100.0).prop_map(ticked),
        (0.0..100.0).prop_map(stopped),
    ]
}

proptest! {
    #[test]
    fn folding_a_prefix_and_then_the_rest_is_folding_all(
        events in proptest::collection::vec(any_event(), 0..40),
        cut in 0..40_usize,
    ) {
        let (prefix, rest) = events.split_at(cut.min(events.len()));
        let mut history = RunHistory::of(prefix);
        for event in rest {
            history.apply(event);
        }
        prop_assert_eq!(history, RunHistory::of(&events));
    }
}
