//! What the loop does with proposals, results and budgets.

use nas_core::journal::{Event, MemoryLog, StopReason};
use nas_core::search::Silent;
use nas_plugin_api::trial::Outcome;
use serde_json::json;

use super::{budget, search, settings, stop_reason, story};

fn run(settings: &nas_core::settings::Settings, shuffle: u64) -> Vec<Event> {
    let mut log = MemoryLog::default();
    search(settings, &mut log, &mut Silent, shuffle).run().unwrap();
    log.events().to_vec()
}

#[test]
fn deterministic_searches_do_not_depend_on_which_worker_is_faster() {
    let settings = settings(
        json!({"name": "regularized-evolution", "population": 10, "sample_size": 3}),
        &[budget(80)],
    );
    let (first, second) = (story(&run(&settings, 1)), story(&run(&settings, 2)));
    // Ends come in another order, but asks and tells do not.
    let asks = |story: &[String]| -> Vec<String> {
        story.iter().filter(|line| !line.starts_with("ended")).cloned().collect()
    };
    assert!(first.len() > 200, "{}", first.len());
    assert_eq!(asks(&first), asks(&second));
}

#[test]
fn every_trial_is_told_once_and_after_it_ended() {
    let settings = settings(
        json!({"name": "evolution", "population": 10, "generations": 6}),
        &[("execution", json!({"workers": 4}))],
    );
    let events = run(&settings, 3);
    let mut ended = std::collections::HashSet::new();
    let mut told = std::collections::HashSet::new();
    for event in &events {
        match event {
            Event::Ended { trial, .. } | Event::Settled { trial, .. } => {
                assert!(ended.insert(*trial), "trial {trial} ended twice");
            }
            Event::Told { trials } => {
                for trial in trials {
                    assert!(ended.contains(trial), "trial {trial} was told before it ended");
                    assert!(told.insert(*trial), "trial {trial} was told twice");
                }
            }
            _ => {}
        }
    }
    assert_eq!(ended, told);
    assert!(matches!(stop_reason(&events), StopReason::StrategyDone { .. }));
}

#[test]
fn no_network_is_evaluated_twice() {
    let settings = settings(json!({"name": "random"}), &[budget(300)]);
    let events = run(&settings, 4);
    let mut seen = std::collections::HashSet::new();
    for event in &events {
        if let Event::Ended { result, .. } = event {
            assert!(seen.insert(result.canonical.clone()), "{} again", result.canonical);
        }
    }
    let duplicates = events.iter().filter(|event| {
        matches!(event, Event::Settled { result, .. } if result.outcome == Outcome::Duplicate)
    });
    assert!(duplicates.count() > 0, "300 random cells of 6,147 different ones repeat some");
}

#[test]
fn a_trial_budget_is_kept_exactly() {
    let settings = settings(json!({"name": "random"}), &[budget(17)]);
    let events = run(&settings, 5);
    let dispatched = events.iter().filter(|event| matches!(event, Event::Dispatched { .. }));
    assert_eq!(dispatched.count(), 17);
    assert_eq!(stop_reason(&events), StopReason::BudgetSpent { budget: "trials".to_owned() });
}

#[test]
fn a_used_up_space_ends_the_search_with_that_reason() {
    let settings = settings(
        json!({"name": "random", "duplicates": "allowed"}),
        &[
            ("space", json!({"name": "nb201", "cells": 1, "operations": ["none", "skip_connect"]})),
            ("execution", json!({"workers": 2, "max_duplicates": 50})),
        ],
    );
    let events = run(&settings, 6);
    assert!(matches!(stop_reason(&events), StopReason::OnlyDuplicates { .. }));
}

#[test]
fn a_candidate_over_the_limit_is_refused_before_it_is_dispatched() {
    let settings = settings(
        json!({"name": "random"}),
        &[budget(20), ("policy", json!([{"name": "limits", "max_parameters": 60_000}]))],
    );
    let events = run(&settings, 7);
    let refused: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Settled { trial, result } if result.outcome == Outcome::Refused => Some(*trial),
            _ => None,
        })
        .collect();
    assert!(!refused.is_empty());
    for event in &events {
        if let Event::Dispatched { trial, .. } = event {
            assert!(!refused.contains(trial));
        }
    }
}

#[test]
fn a_network_of_zeros_has_a_cost_and_a_graph() {
    let settings = settings(json!({"name": "random"}), &[]);
    let space = super::parts(&settings).space;
    let genotype = nas_plugin_api::genotype::Genotype(vec![0; 6]);
    let graph = space.network(&genotype).unwrap();
    assert_eq!(graph.input_nodes().len(), 1);
    let outline = space.outline(&genotype).unwrap();
    assert_eq!(outline.cost.parameters, nas_core::network::graph_cost(&graph).unwrap().parameters);
}
