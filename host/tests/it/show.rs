//! `nas show` and `nas runs` on a run that was written by hand.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use nas_core::budget::{FakeClock, Reservation};
use nas_core::journal::{
    Answer as Asked, Event, EventLog, Journal, Start, StopReason, TrialResult,
};
use nas_core::protocol::Usage;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Cost, EpochRecord, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{Action, HoldoutReading, QuestionKind, Spending, Verdict};
use serde_json::json;

use crate::support::{Place, check_error};

const RUN: &str = "20260101-000000-fixture";

#[test]
fn a_run_is_shown_from_its_journal() {
    let place = Place::new();
    write_run(&place, true);
    let shown = place.nas(&["show", "2026"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    check_page(&shown.stdout, "run");
}

#[test]
fn a_run_under_way_is_shown() {
    let place = Place::new();
    write_run(&place, false);
    let shown = place.nas(&["show", "last"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("running, or cut off; trials under way: 1"), "{}", shown.stdout);
    assert!(shown.stdout.contains("Best: trial 1"), "{}", shown.stdout);
}

#[test]
fn a_trial_is_shown_with_lineage_curve_and_verdicts() {
    let place = Place::new();
    write_run(&place, true);
    let shown = place.nas(&["show", RUN, "--trial", "1"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    check_page(&shown.stdout, "trial");
}

#[test]
fn a_run_is_data_for_programs() {
    let place = Place::new();
    write_run(&place, true);
    let shown = place.nas(&["show", RUN, "--json"]);
    let page: serde_json::Value = serde_json::from_str(&shown.stdout).expect("it is JSON");
    assert_eq!(page["best"]["trial"], 1);
    assert_eq!(page["best"]["holdout"]["holdout_accuracy"], 0.9);
    assert_eq!(page["outcomes"]["finished"], 2);
}

#[test]
fn runs_are_listed() {
    let place = Place::new();
    assert_eq!(place.nas(&["runs"]).code, 0);
    write_run(&place, true);
    let listed = place.nas(&["runs"]);
    assert!(listed.stdout.contains(RUN), "{}", listed.stdout);
    assert!(listed.stdout.contains("0.9500"), "{}", listed.stdout);
}

#[test]
fn what_does_not_exist_is_refused() {
    let place = Place::new();
    write_run(&place, true);
    check_error(&place.nas(&["show", "2027"]), 8, "unknown_run");
    check_error(&place.nas(&["show", RUN, "--trial", "9"]), 2, "unknown_trial");
    check_error(&place.nas(&["stop", "2027"]), 8, "unknown_run");
}

#[test]
fn only_the_budget_changes_on_resume() {
    let place = Place::new();
    write_run(&place, true);
    let change = |set| place.nas(&["resume", RUN, "--set", set]);
    check_error(&change("training.epochs=9"), 2, "resume_other_settings");
    check_error(&change("budget.trails=9"), 2, "resume_unknown_key");
}

#[track_caller]
fn check_page(page: &str, snapshot: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(snapshot, page);
    });
}

/// Two trials that ended, one refused, and one under way or the end.
fn write_run(place: &Place, is_over: bool) {
    let folder = place.path().join("runs").join(RUN);
    fs::create_dir_all(&folder).expect("a folder");
    let mut journal = Journal::create(&folder, Arc::new(FakeClock::new())).expect("a journal");
    let spent =
        Spending { trials: 2, wall_seconds: 12.5, cpu_seconds: 20.0, ..Spending::default() };
    let proposals = vec![
        Proposal::from(Genotype(vec![0, 1, 2, 3, 4, 3])),
        Proposal::from(Genotype(vec![3, 3, 3, 3, 3, 3])).with_parents(&[0]),
        Proposal::from(Genotype(vec![2, 2, 2, 2, 2, 2])).with_parents(&[1]),
    ];
    let answer = Asked::Proposals { first: 0, proposals };
    let mut events = vec![Event::Started(Box::new(start()))];
    events.push(Event::Asked { slots: 3, answer, spent: Spending::default() });
    events.extend([dispatched(0), ended(0, 0.9)]);
    events.push(judged(1, Action::Warn, "near_the_limit"));
    events.extend([dispatched(1), ended(1, 0.95)]);
    if is_over {
        events.push(judged(2, Action::RejectCandidate, "parameter_limit"));
        events.push(Event::Settled { trial: 2, result: result(Outcome::Refused, None) });
        let reason = StopReason::BudgetSpent { budget: "trials".to_owned() };
        events.push(Event::Stopped { reason, spent, champion: Some(1) });
        let measurements = Measurements::from([("holdout_accuracy", 0.9)]);
        let reading = Some(HoldoutReading {
            trial: 1,
            trials: 2,
            queries: 5,
            validation_accuracy: 0.95,
            holdout_accuracy: 0.9,
            validation_images: 288,
            holdout_images: 359,
        });
        let usage = Usage::default();
        events.push(Event::Audited { trial: 1, measurements, reading, usage });
    } else {
        events.push(dispatched(2));
    }
    journal.append(&events).expect("it can be written");
}

fn start() -> Start {
    let settings = json!({
        "name": "fixture", "seed": 3,
        "operations": {"name": "nb201"}, "space": {"name": "nb201", "cells": 1},
        "strategy": {"name": "regularized-evolution"}, "fitness": {"name": "accuracy"},
        "policy": [{"name": "limits"}],
        "data": {"format": "digits"}, "budget": {"trials": 2, "wall_seconds": 60.0},
    });
    let split = |images| json!({"path": PathBuf::from("x"), "images": images, "sha256": ""});
    let classes: Vec<String> = (0..10).map(|class| class.to_string()).collect();
    let data = json!({
        "shape": [1, 8, 8], "classes": classes, "train": split(1150),
        "validation": split(288), "holdout": split(359),
    });
    serde_json::from_value(json!({
        "version": "0.1.0", "settings": settings, "seed": 3, "components": [], "files": [],
        "data": data,
    }))
    .expect("a start")
}

fn dispatched(trial: TrialId) -> Event {
    let reservation = Reservation {
        wall_seconds: 30.0,
        cpu_seconds: 30.0,
        gpu_seconds: 0.0,
        memory_bytes: 1 << 30,
    };
    Event::Dispatched { trial, attempt: 0, reservation, seed: 1 }
}

fn ended(trial: TrialId, accuracy: f64) -> Event {
    let record = EpochRecord {
        epoch: 0,
        learning_rate: 0.025,
        train_loss: 0.5,
        train_accuracy: accuracy,
        validation_accuracy: Some(accuracy),
    };
    let usage = Usage {
        cpu_seconds: 10.0,
        gpu_seconds: 0.0,
        wall_seconds: 6.0,
        peak_memory_bytes: 1 << 27,
    };
    let result = result(Outcome::Finished, Some(accuracy));
    Event::Ended { trial, attempt: 0, result, usage, curve: vec![record] }
}

fn judged(trial: TrialId, action: Action, code: &str) -> Event {
    Event::Judged {
        policy: "limits".to_owned(),
        question: QuestionKind::Candidate,
        trial: Some(trial),
        verdict: Verdict::new(action, code, "it has many parameters").with("parameters", 40_000.0),
        enforced: true,
    }
}

fn result(outcome: Outcome, accuracy: Option<f64>) -> Arc<TrialResult> {
    Arc::new(TrialResult {
        outcome,
        objectives: accuracy.into_iter().collect(),
        measurements: accuracy
            .map(|accuracy| {
                Measurements::from([("validation_accuracy", accuracy), ("train_seconds", 5.5)])
            })
            .unwrap_or_default(),
        cost: Cost {
            parameters: 40_000,
            multiply_adds: 250_000,
            activation_bytes: 9_000,
            depth: 6,
        },
        canonical: String::new(),
        duplicate_of: None,
        reason: accuracy.is_none().then(|| "it has too many parameters".to_owned()),
    })
}
