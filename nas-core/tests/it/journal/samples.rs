//! Events to write down.

use std::sync::Arc;

use nas_core::budget::Reservation;
use nas_core::journal::{Answer, Event, Start, StopReason, TrialResult};
use nas_core::protocol::Usage;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Cost, EpochRecord, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::Spending;

/// The first event of a run.
pub(crate) fn started() -> Event {
    Event::Started(Box::new(Start {
        folder: Default::default(),
        version: "0.1.0".to_owned(),
        settings: serde_json::json!({ "name": "search", "seed": 7 }),
        seed: 7,
        components: Vec::new(),
        files: Vec::new(),
        data: None,
    }))
}

/// One trial from its proposal until its strategy is told: four events of the size that a search
/// in the `darts` space has.
pub(crate) fn whole_trial(trial: TrialId) -> [Event; 4] {
    [
        asked(trial, &[trial as u16; 28]),
        dispatched(trial, 0),
        ended(trial, 0, 1.5),
        Event::Told { trials: vec![trial] },
    ]
}

/// The strategy proposes one trial.
pub(crate) fn asked(trial: TrialId, genotype: &[u16]) -> Event {
    let proposal = Proposal::from(Genotype(genotype.to_vec())).in_generation(3).with_parents(&[1]);
    let spent = Spending { trials: trial, wall_seconds: trial as f64, ..Spending::default() };
    Event::Asked {
        slots: 1,
        answer: Answer::Proposals { first: trial, proposals: vec![proposal] },
        spent,
    }
}

/// A trial is given to a worker.
pub(crate) fn dispatched(trial: TrialId, attempt: u32) -> Event {
    let reservation = Reservation {
        wall_seconds: 60.0,
        cpu_seconds: 120.0,
        gpu_seconds: 0.0,
        memory_bytes: 4 << 30,
    };
    Event::Dispatched { trial, attempt, reservation, seed: u64::MAX - trial }
}

/// A trial ends with a result.
pub(crate) fn ended(trial: TrialId, attempt: u32, cpu_seconds: f64) -> Event {
    let measurements = Measurements::from([
        ("validation_accuracy", 0.912_345_678_9),
        ("validation_loss", 0.287_654_321),
        ("train_seconds", 1.234_567),
    ]);
    let curve = (0..2).map(|epoch| EpochRecord {
        epoch,
        learning_rate: 0.025,
        train_loss: 1.0 / f64::from(epoch + 1),
        train_accuracy: 0.5,
        validation_accuracy: None,
    });
    Event::Ended {
        trial,
        attempt,
        result: Arc::new(TrialResult {
            outcome: Outcome::Finished,
            objectives: vec![0.912_345_678_9],
            measurements,
            cost: Cost { parameters: 123_456, multiply_adds: 1 << 40, ..Cost::default() },
            canonical: "0123456789abcdef0123456789abcdef".to_owned(),
            duplicate_of: None,
            reason: None,
        }),
        usage: Usage { cpu_seconds, wall_seconds: 2.0, ..Usage::default() },
        curve: curve.collect(),
    }
}

/// Time passes.
pub(crate) fn ticked(wall_seconds: f64) -> Event {
    Event::Ticked { spent: Spending { wall_seconds, ..Spending::default() } }
}

/// The run is interrupted.
pub(crate) fn stopped(wall_seconds: f64) -> Event {
    let spent = Spending { wall_seconds, ..Spending::default() };
    Event::Stopped { reason: StopReason::Interrupted, spent, champion: None }
}

/// A group of small events that says which one it is.
pub(crate) fn group(number: u64, events: u64) -> Vec<Event> {
    (0..events).map(|event| Event::Told { trials: vec![number, event] }).collect()
}
