//! The search loop with linked-in plugins and an evaluator that answers at once.

mod loop_rules;
mod outlines;
mod policies;
mod repeats;
mod replay;
mod untrained;

use std::sync::Arc;
use std::time::Duration;

use fitness_accuracy as _;
use nas_core::budget::{Budget, FakeClock, KillMargin, Ledger, Workforce};
use nas_core::executor::{Executor, InstantExecutor, Job};
use nas_core::journal::{Event, EventLog, StopReason};
use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_core::plugin::{CallError, Places, PluginLoadError, Registry, Timed};
use nas_core::search::{NoTraining, Observer, Parts, Policy, Search, StopSignal};
use nas_core::settings::{PolicyMode, Settings};
use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::trial::Fidelity;
use ops_nb201 as _;
use policy_convergence as _;
use policy_limits as _;
use serde_json::{Value, json};
use space_nb201 as _;
use strategy_evolution as _;
use strategy_random as _;

/// Settings for the nb201 space, `extra` replacing whole tables.
pub(crate) fn settings(strategy: Value, extra: &[(&str, Value)]) -> Settings {
    let mut settings = json!({
        "operations": {"name": "nb201"},
        "space": {"name": "nb201", "cells": 1},
        "strategy": strategy,
        "fitness": {"name": "accuracy"},
        "execution": {"deterministic": true, "workers": 3},
    });
    for (table, value) in extra {
        settings[table] = value.clone();
    }
    serde_json::from_value(settings).unwrap()
}

/// The components that these settings name, linked in.
pub(crate) fn parts(settings: &Settings) -> Parts {
    let registry = Arc::new(Registry::linked_in(Places::from_environment()));
    let config = |config: &serde_json::Map<String, Value>| Value::Object(config.clone());
    let scale = Scale {
        input: Shape::from([3, 32, 32]),
        classes: 10,
        channels: settings.space.channels,
        cells: settings.space.cells,
        auxiliary_head: false,
        role: Role::Final,
    };
    let operations =
        registry.operations(&settings.operations.name, &config(&settings.operations.config));
    let space = registry.space(&settings.space.name, &config(&settings.space.config)).unwrap();
    let space = NetworkSpace::new(
        space.as_ref(),
        OperationGraphs::new(operations.unwrap()),
        &scale,
        Role::Final,
    )
    .unwrap();
    let limit = Duration::from_secs(10);
    let (fitness_name, fitness_config) =
        (settings.fitness.name.clone(), config(&settings.fitness.config));
    let from = Arc::clone(&registry);
    let fitness = Timed::create::<PluginLoadError>("fitness", limit, move || {
        from.fitness(&fitness_name, &fitness_config)
    })
    .unwrap();
    let (objectives, fitness_needs) = fitness
        .call("describe itself", |fitness| Ok((fitness.objectives(), fitness.needs())))
        .unwrap();
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    let context = StrategyContext {
        space: space.space().clone(),
        seed: settings.seed,
        objectives: objectives.clone(),
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let (strategy_name, strategy_config) =
        (settings.strategy.name.clone(), config(&settings.strategy.config));
    let from = Arc::clone(&registry);
    let strategy = Timed::create::<PluginLoadError>("strategy", limit, move || {
        from.strategy(&strategy_name, &strategy_config, &context)
    })
    .unwrap();
    let policies = settings
        .policies
        .iter()
        .map(|policy| {
            let (name, config) = (policy.name.clone(), config(&policy.config));
            let from = Arc::clone(&registry);
            let made = Timed::create::<PluginLoadError>(&policy.name, limit, move || {
                from.policy(&name, &config)
            });
            Policy::new(&policy.name, policy.mode, made.unwrap()).unwrap()
        })
        .collect();
    let _ = (PolicyMode::Enforce, None::<CallError>);
    Parts {
        space,
        strategy,
        fitness,
        objectives,
        fitness_needs,
        policies,
        fidelity,
        proxies: Vec::new(),
    }
}

/// An accuracy that depends on the genotype alone.
pub(crate) fn fake_accuracy(job: &Job) -> Measurements {
    let sum: u32 = job.genotype.0.iter().map(|&value| u32::from(value) * 7 % 5).sum();
    Measurements::from([("validation_accuracy", f64::from(sum) / 25.0)])
}

pub(crate) fn executor(settings: &Settings, shuffle: u64) -> Box<dyn Executor> {
    let workers = settings.execution.workers;
    Box::new(InstantExecutor::measuring(workers, fake_accuracy).shuffled(shuffle))
}

pub(crate) fn ledger(settings: &Settings) -> Ledger {
    let workforce = Workforce { workers: settings.execution.workers, threads: 1, uses_gpu: false };
    Ledger::new(&settings.budget, workforce, KillMargin::NONE, Arc::new(FakeClock::new()))
}

pub(crate) fn search<'a>(
    settings: &Settings,
    log: &'a mut dyn EventLog,
    observer: &'a mut dyn Observer,
    shuffle: u64,
) -> Search<'a> {
    Search::new(
        settings,
        parts(settings),
        ledger(settings),
        log,
        executor(settings, shuffle),
        Box::new(NoTraining),
        observer,
        StopSignal::default(),
    )
}

/// The events that say what was proposed, how it ended and what was told, without times.
pub(crate) fn story(events: &[Event]) -> Vec<String> {
    let tell = |event: &Event| match event {
        Event::Asked { slots, answer, .. } => Some(format!("asked {slots}: {answer:?}")),
        Event::Settled { trial, result } => Some(format!("settled {trial}: {result:?}")),
        Event::Ended { trial, result, .. } => Some(format!("ended {trial}: {result:?}")),
        Event::Told { trials } => Some(format!("told {trials:?}")),
        Event::Stopped { reason, champion, .. } => Some(format!("{reason}, best {champion:?}")),
        _ => None,
    };
    events.iter().filter_map(tell).collect()
}

pub(crate) fn budget(trials: u64) -> (&'static str, Value) {
    ("budget", serde_json::to_value(Budget { trials: Some(trials), ..Budget::default() }).unwrap())
}

pub(crate) fn stop_reason(events: &[Event]) -> StopReason {
    match events.last() {
        Some(Event::Stopped { reason, .. }) => reason.clone(),
        other => panic!("the last event is {other:?}"),
    }
}
