//! From the command line to searches.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use nas_core::bench::{self, BenchError, Oracle, Plan, Study};
use nas_core::plugin::{Registry, check_config, read_config_files};
use nas_core::settings::{ComponentSettings, Settings};
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Options, Scale, Space, Template};
use nas_plugin_api::trial::Fidelity;
use serde_json::{Map, Value, json};

use super::Arguments;
use crate::bench::{OnFront, Row, read_published};
use crate::components;
use crate::configuration::{self, Override};
use crate::error::HostError;
use crate::network_space::network_space;

/// What scores strategies: the command line, and the plugins.
pub(super) struct Scorer<'a> {
    arguments: &'a Arguments,
    registry: Arc<Registry>,
}

/// A strategy, as it is scored.
pub(super) struct Entrant<'a> {
    /// The strategy.
    pub(super) strategy: &'a str,
    /// Settings of it, `strategy.KEY=VALUE`.
    pub(super) sets: &'a [String],
    /// How many searches.
    pub(super) seeds: u32,
}

impl<'a> Scorer<'a> {
    pub(super) fn new(arguments: &'a Arguments) -> Result<Self, HostError> {
        Ok(Self { arguments, registry: components::registry()? })
    }

    /// The strategies that there are, in the order of their names.
    pub(super) fn strategies(&self) -> Vec<String> {
        let known = self.registry.components().iter();
        let strategies = known.filter(|known| known.info.kind == ComponentKind::Strategy);
        let unique: BTreeSet<String> = strategies.map(|known| known.info.name.clone()).collect();
        unique.into_iter().collect()
    }

    /// Runs a strategy's searches on a data set.
    ///
    /// # Errors
    /// A strategy that does not fit the table, or fails; mistakes of the command line.
    pub(super) fn score(
        &self,
        entrant: &Entrant<'_>,
        dataset: Option<&String>,
        budget: f64,
    ) -> Result<Row, HostError> {
        let settings = self.settings(entrant, dataset)?;
        let oracle = self.oracle(&settings)?;
        let plan = self.plan(entrant, &settings, budget)?;
        let study = bench::run(&plan, &oracle, &self.registry)?;
        let dataset = dataset.cloned().unwrap_or_default();
        let published = match &self.arguments.reference {
            Some(path) => read_published(path, &self.arguments.benchmark, &dataset)?,
            None => Vec::new(),
        };
        let front = front(&oracle, &study, plan.fidelity)?;
        Ok(Row { dataset, study, published, front })
    }

    /// A configuration like that of a search, so that mistakes get the same messages.
    fn settings(
        &self,
        entrant: &Entrant<'_>,
        dataset: Option<&String>,
    ) -> Result<Settings, HostError> {
        let arguments = self.arguments;
        let space = arguments.space.as_ref().unwrap_or(&arguments.benchmark);
        let mut benchmark = Map::new();
        benchmark.insert("name".to_owned(), json!(arguments.benchmark));
        benchmark.insert("file".to_owned(), json!(arguments.table));
        if let Some(dataset) = dataset {
            benchmark.insert("dataset".to_owned(), json!(dataset));
        }
        let has_own = self.registry.find(ComponentKind::Operations, space).is_ok();
        let own = if has_own { space.as_str() } else { "basic" };
        let tables = [
            ("operations", json!({ "name": arguments.operations.as_deref().unwrap_or(own) })),
            // What can be chosen does not depend on the scale: the smallest one is fastest.
            ("space", json!({ "name": space, "cells": 1 })),
            ("strategy", json!({ "name": entrant.strategy })),
            ("fitness", json!({ "name": "accuracy" })),
            ("benchmark", Value::Object(benchmark)),
        ];
        let table = tables.into_iter().map(|(key, table)| (key.to_owned(), table)).collect();
        let sets = arguments.overrides.set.iter().chain(entrant.sets);
        let overrides: Vec<Override> = sets.map(|set| Override::set(set)).collect();
        Ok(configuration::of_table(table, PathBuf::new(), &overrides, &self.registry)?.settings)
    }

    fn oracle(&self, settings: &Settings) -> Result<Oracle, HostError> {
        let Some(ComponentSettings { name, config, .. }) = &settings.benchmark else {
            return Err(HostError::Usage { message: "no benchmark is named".to_owned() });
        };
        let config = whole_config(ComponentKind::Benchmark, name, config, &self.registry)?;
        let benchmark = self.registry.benchmark(name, &config)?;
        let space = space(settings, &self.registry)?;
        Ok(Oracle::new(name, benchmark, &space, self.objectives()?)?)
    }

    fn objectives(&self) -> Result<Vec<Objective>, HostError> {
        let smalls = self.arguments.minimize.iter().map(|name| Objective::minimize(name));
        let mut objectives: Vec<Objective> =
            std::iter::once(Objective::maximize(&self.arguments.signal)).chain(smalls).collect();
        for (name, value) in &self.arguments.limit {
            let Some(objective) = objectives.iter_mut().find(|known| known.name == *name) else {
                let known: Vec<&str> = objectives.iter().map(|known| known.name.as_str()).collect();
                let known = known.join(", ");
                return Err(HostError::Usage {
                    message: format!("`--limit {name}={value}`: objectives are {known}"),
                });
            };
            objective.limit = Some(*value);
        }
        Ok(objectives)
    }

    fn plan(
        &self,
        entrant: &Entrant<'_>,
        settings: &Settings,
        budget: f64,
    ) -> Result<Plan, HostError> {
        let arguments = self.arguments;
        let ComponentSettings { name, config, .. } = &settings.strategy;
        Ok(Plan {
            strategy: name.clone(),
            config: whole_config(ComponentKind::Strategy, name, config, &self.registry)?,
            warm_start: settings.warm_start.clone(),
            seeds: entrant.seeds,
            first_seed: arguments.seed,
            budget,
            max_evaluations: arguments.evaluations,
            fidelity: Fidelity { epochs: arguments.epochs, data_fraction: 1.0 },
            threads: arguments.threads.map_or_else(
                || thread::available_parallelism().map_or(1, usize::from),
                usize::from,
            ),
        })
    }
}

/// What the first search found, where there are several objectives.
fn front(oracle: &Oracle, study: &Study, fidelity: Fidelity) -> Result<Vec<OnFront>, BenchError> {
    let answers = oracle.answers(&fidelity)?;
    let places = study.found.first().map(|found| found.front.as_slice()).unwrap_or_default();
    let on_front = |&place: &usize| OnFront {
        genotype: oracle.text(place),
        objectives: answers.objectives(place).unwrap_or_default(),
    };
    Ok(places.iter().map(on_front).collect())
}

/// The choices of the space. A space that is for a table alone has operations of its own, which no
/// set declares; there are no networks then, and nothing is known of equal ones.
fn space(settings: &Settings, registry: &Registry) -> Result<Space, HostError> {
    let Settings { operations, space, .. } = settings;
    let set = registry.operations(&operations.name, &Value::Object(operations.config.clone()))?;
    let declared = set.operations();
    let made = registry.space(&space.name, &Value::Object(space.config.clone()))?;
    let scale = Scale { cells: space.cells, classes: 10, ..Scale::default() };
    let is_declared = |name: &String| declared.iter().any(|known| known.name == *name);
    match made.template(&declared, &Scale { input: Shape(vec![3, 32, 32]), ..scale }) {
        Ok(template) if !operation_names(&template).all(is_declared) => Space::new(template)
            .map_err(|error| HostError::Usage { message: format!("failed to {error}") }),
        // Networks can be made; mistakes get the messages that they get elsewhere.
        _ => Ok(network_space(operations, space, None, registry)?.space().clone()),
    }
}

fn operation_names(template: &Template) -> impl Iterator<Item = &String> {
    template.choices.iter().flat_map(|choice| match &choice.options {
        Options::Operation { candidates, .. } => candidates.as_slice(),
        _ => &[],
    })
}

/// A configuration that was checked, with its defaults and the files that it names.
fn whole_config(
    kind: ComponentKind,
    name: &str,
    config: &Map<String, Value>,
    registry: &Registry,
) -> Result<Value, HostError> {
    let usage = |message: String| HostError::Usage { message };
    let info = &registry.find(kind, name)?.info;
    let mut config = check_config(info, config).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        usage(texts.join("; "))
    })?;
    let folder = PathBuf::new();
    read_config_files(info, &mut config, &folder)
        .map_err(|error| usage(format!("failed to {error}")))?;
    Ok(config)
}

impl From<BenchError> for HostError {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Load(error) => error.into(),
            error => Self::Bench(Box::new(error)),
        }
    }
}
