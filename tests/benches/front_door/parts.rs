//! A search over NAS-Bench-201's space, made of the built plugin libraries.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nas_core::budget::{Clock, KillMargin, Ledger, RealClock, Workforce};
use nas_core::executor::Executor;
use nas_core::journal::{Event, EventLog, Start};
use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_core::plugin::{Isolation, Places, PluginLoadError, Registry, Timed, check_config};
use nas_core::search::{Observer, Parts, Policy, Search, StopSignal, Work};
use nas_core::settings::{PolicyMode, Settings};
use nas_plugin_api::component::{ComponentKind, StrategyContext};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::trial::Fidelity;
use serde_json::{Map, Value, json};

/// Longest that a plugin may take to answer.
const PLUGIN_LIMIT: Duration = Duration::from_secs(60);

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a package's folder").to_owned()
}

/// Where `make build` puts programs and libraries.
pub(crate) fn programs() -> PathBuf {
    let bench = std::env::current_exe().expect("this program has a path");
    bench.parent().and_then(Path::parent).expect("cargo's folder `deps`").to_owned()
}

/// A folder for a search, on the disk that the build is on.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(programs()).expect("the build's folder can be written")
}

/// The built libraries.
pub(crate) fn registry() -> Registry {
    let places = Places {
        search: vec![programs()],
        cache: programs().join("bench-cache"),
        hosts: vec![programs().join("nas-plugin-host")],
        pins: vec![programs().join("trusted-plugins.sha256")],
    };
    let registry = Registry::scan(places).expect("the build's folder can be written");
    let are_trusted =
        registry.components().iter().all(|known| !registry.is_isolated(&known.source));
    assert!(are_trusted, "the list of trusted plugins is old: run `make build` first");
    registry
}

/// The built libraries, none of which is trusted.
pub(crate) fn isolating_registry() -> Registry {
    let registry = registry();
    registry.isolate(Isolation::All);
    registry
}

/// NAS-Bench-201's networks of 16 channels and one cell a stage, for images of 32×32.
pub(crate) fn space(registry: &Registry) -> NetworkSpace {
    let scale = Scale {
        input: Shape::from([3, 32, 32]),
        classes: 10,
        channels: Some(16),
        cells: Some(1),
        auxiliary_head: false,
        role: Role::Final,
    };
    let operations = registry
        .operations("nb201", &defaults(registry, ComponentKind::Operations, "nb201"))
        .expect("run `make build` first");
    let space = registry
        .space("nb201", &defaults(registry, ComponentKind::Space, "nb201"))
        .expect("run `make build` first");
    NetworkSpace::new(space.as_ref(), OperationGraphs::new(operations), &scale, Role::Final)
        .expect("the built-in space is sound")
}

/// A search that is ready to run.
pub(crate) fn search<'a>(
    registry: &Arc<Registry>,
    plan: Plan<'_>,
    log: &'a mut dyn EventLog,
    observer: &'a mut dyn Observer,
) -> Search<'a> {
    let Plan { strategy, policies, trials, executor, work } = plan;
    let settings: Settings = serde_json::from_value(json!({
        "operations": {"name": "nb201"},
        "space": {"name": "nb201", "channels": 16, "cells": 1},
        "strategy": {"name": strategy},
        "fitness": {"name": "accuracy"},
        "policy": policies,
        "budget": {"trials": trials},
    }))
    .expect("settings");
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let workforce = Workforce { workers: executor.capacity(), threads: 1, uses_gpu: false };
    let ledger = Ledger::new(&settings.budget, workforce, KillMargin::NONE, clock);
    log.append(&[Event::Started(Box::new(start(&settings)))]).expect("the journal can be written");
    let parts = parts(registry, &settings);
    let stop = StopSignal::default();
    Search::new(&settings, parts, ledger, log, executor, work, observer, stop)
}

/// What differs between the searches here.
pub(crate) struct Plan<'a> {
    pub(crate) strategy: &'a str,
    /// Each with its settings, as in a configuration.
    pub(crate) policies: &'a [Value],
    pub(crate) trials: u64,
    pub(crate) executor: Box<dyn Executor>,
    pub(crate) work: Box<dyn Work>,
}

fn parts(registry: &Arc<Registry>, settings: &Settings) -> Parts {
    let space = space(registry);
    let fitness =
        make(registry, ComponentKind::Fitness, &settings.fitness.name, |all, name, config| {
            all.fitness(name, config)
        });
    let (objectives, fitness_needs) = fitness
        .call("describe itself", |fitness| Ok((fitness.objectives(), fitness.needs())))
        .expect("the built-in fitness answers");
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    let context = StrategyContext {
        space: space.space().clone(),
        seed: 0,
        objectives: objectives.clone(),
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let strategy = make(
        registry,
        ComponentKind::Strategy,
        &settings.strategy.name,
        move |all, name, config| all.strategy(name, config, &context),
    );
    let policies = settings.policies.iter().map(|policy| {
        let kind = ComponentKind::Policy;
        let config = config(registry, kind, &policy.name, &policy.config);
        let made =
            make(registry, kind, &policy.name, move |all, name, _| all.policy(name, &config));
        Policy::new(&policy.name, PolicyMode::Enforce, made).expect("a built-in policy answers")
    });
    let policies = policies.collect();
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

fn make<T: 'static>(
    registry: &Arc<Registry>,
    kind: ComponentKind,
    name: &str,
    create: impl FnOnce(&Registry, &str, &Value) -> Result<T, PluginLoadError> + Send + 'static,
) -> Timed<T> {
    let (registry, config) = (Arc::clone(registry), defaults(registry, kind, name));
    let component = name.to_owned();
    Timed::create(name, PLUGIN_LIMIT, move || create(&registry, &component, &config))
        .expect("a built-in component works with its defaults")
}

pub(crate) fn defaults(registry: &Registry, kind: ComponentKind, name: &str) -> Value {
    config(registry, kind, name, &Map::new())
}

fn config(
    registry: &Registry,
    kind: ComponentKind,
    name: &str,
    given: &Map<String, Value>,
) -> Value {
    let known = registry.find(kind, name).expect("run `make build` first");
    check_config(&known.info, given).expect("these settings are valid")
}

fn start(settings: &Settings) -> Start {
    Start {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: serde_json::to_value(settings).expect("settings are data"),
        folder: Default::default(),
        seed: settings.seed,
        components: Vec::new(),
        files: Vec::new(),
        data: None,
    }
}
