//! `nas bench`: scores a strategy on a benchmark, over many seeds.

use std::fs;
use std::path::PathBuf;
use std::thread;

use clap::Args;
use nas_core::bench::{self, BenchError, Oracle, Plan};
use nas_core::plugin::{Registry, check_config, read_config_files};
use nas_core::settings::{ComponentSettings, Settings};
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::measurement::names;
use nas_plugin_api::template::{Options, Scale, Space, Template};
use nas_plugin_api::trial::Fidelity;
use serde_json::{Map, Value, json};

use crate::bench::{Panel, Row, as_json, page, picture, read_published};
use crate::cli::Overrides;
use crate::components;
use crate::configuration::{self, Override};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::network_space::network_space;
use crate::output;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The strategy; its settings with `--set strategy.KEY=VALUE`
    #[arg(value_name = "STRATEGY")]
    strategy: String,
    /// The benchmark's table, a CSV file, plain or compressed by gzip
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// The benchmark; its settings with `--set benchmark.KEY=VALUE`
    #[arg(long, value_name = "NAME", default_value = "nb201")]
    benchmark: String,
    /// The search space; the one of the benchmark's name where absent
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
    /// The operations; those of the space's name, or `basic`
    #[arg(long, value_name = "NAME")]
    operations: Option<String>,
    /// A data set of the benchmark; may be given several times
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// Simulated seconds of each search, or evaluations where the benchmark knows no seconds; once,
    /// or once for each data set
    #[arg(long, value_name = "SECONDS")]
    budget: Vec<f64>,
    /// Most evaluations of each search
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    evaluations: Option<u64>,
    /// How many searches
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seeds: u32,
    /// Seed of the first search; the others follow
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Epochs after which a network is evaluated
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// The measurement that a search makes large
    #[arg(long, value_name = "NAME", default_value = names::VALIDATION_ACCURACY)]
    signal: String,
    /// Searches at once; one per processor where absent
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Published results to show beside, a CSV file (the book lists its columns)
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Write regret over time as a picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print a line of JSON for each data set
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    overrides: Overrides,
}

/// Runs all searches and shows what they found.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let registry = components::registry()?;
    let datasets = match arguments.dataset.as_slice() {
        [] => vec![None],
        several => several.iter().map(Some).collect(),
    };
    let mut rows = Vec::with_capacity(datasets.len());
    for (index, dataset) in datasets.iter().enumerate() {
        let budget = arguments.budget(index, datasets.len())?;
        let settings = arguments.settings(*dataset, &registry)?;
        let oracle = arguments.oracle(&settings, &registry)?;
        let plan = arguments.plan(&settings, budget, &registry)?;
        let study = bench::run(&plan, &oracle, &registry)?;
        let dataset = dataset.cloned().unwrap_or_default();
        let published = match &arguments.reference {
            Some(path) => read_published(path, &arguments.benchmark, &dataset)?,
            None => Vec::new(),
        };
        rows.push(Row { dataset, study, published });
    }
    let Arguments { strategy, benchmark, .. } = arguments;
    match arguments.json {
        true => rows.iter().for_each(|row| output::data(as_json(strategy, benchmark, row))),
        false => output::data(page(strategy, benchmark, &rows)),
    }
    if let Some(path) = &arguments.svg {
        let panels: Vec<Panel<'_>> = rows
            .iter()
            .map(|row| Panel { title: row.dataset.clone(), study: &row.study })
            .collect();
        let picture = picture(&format!("{strategy} on {benchmark}"), &panels);
        fs::write(path, picture).map_err(|source| HostError::File {
            what: "write",
            path: path.clone(),
            source,
        })?;
    }
    Ok(ExitCode::Success)
}

impl Arguments {
    fn budget(&self, index: usize, n: usize) -> Result<f64, HostError> {
        let usage = |message: String| Err(HostError::Usage { message });
        let budget = match self.budget.as_slice() {
            [] if self.evaluations.is_some() => f64::INFINITY,
            [] => return usage("nothing limits a search; give `--budget SECONDS`".to_owned()),
            [one] => *one,
            several if several.len() == n => several[index],
            several => {
                let found = several.len();
                return usage(format!(
                    "there are {n} data sets but {found} budgets; give one for all or one for each"
                ));
            }
        };
        match budget > 0.0 {
            true => Ok(budget),
            false => usage(format!("`--budget {budget}` allows nothing; expected more than 0")),
        }
    }

    /// A configuration like that of a search, so that mistakes get the same messages.
    fn settings(
        &self,
        dataset: Option<&String>,
        registry: &Registry,
    ) -> Result<Settings, HostError> {
        let space = self.space.as_ref().unwrap_or(&self.benchmark);
        let mut benchmark = Map::new();
        benchmark.insert("name".to_owned(), json!(self.benchmark));
        benchmark.insert("file".to_owned(), json!(self.table));
        if let Some(dataset) = dataset {
            benchmark.insert("dataset".to_owned(), json!(dataset));
        }
        let has_own = registry.find(ComponentKind::Operations, space).is_ok();
        let own = if has_own { space.as_str() } else { "basic" };
        let tables = [
            ("operations", json!({ "name": self.operations.as_deref().unwrap_or(own) })),
            // What can be chosen does not depend on the scale: the smallest one is fastest.
            ("space", json!({ "name": space, "cells": 1 })),
            ("strategy", json!({ "name": self.strategy })),
            ("fitness", json!({ "name": "accuracy" })),
            ("benchmark", Value::Object(benchmark)),
        ];
        let table = tables.into_iter().map(|(key, table)| (key.to_owned(), table)).collect();
        let overrides: Vec<Override> =
            self.overrides.set.iter().map(|set| Override::set(set)).collect();
        Ok(configuration::of_table(table, PathBuf::new(), &overrides, registry)?.settings)
    }

    fn oracle(&self, settings: &Settings, registry: &Registry) -> Result<Oracle, HostError> {
        let Some(ComponentSettings { name, config, .. }) = &settings.benchmark else {
            return Err(HostError::Usage { message: "no benchmark is named".to_owned() });
        };
        let config = whole_config(ComponentKind::Benchmark, name, config, registry)?;
        let benchmark = registry.benchmark(name, &config)?;
        let space = space(settings, registry)?;
        Ok(Oracle::new(name, benchmark, &space, &self.signal)?)
    }

    fn plan(
        &self,
        settings: &Settings,
        budget: f64,
        registry: &Registry,
    ) -> Result<Plan, HostError> {
        let ComponentSettings { name, config, .. } = &settings.strategy;
        Ok(Plan {
            strategy: name.clone(),
            config: whole_config(ComponentKind::Strategy, name, config, registry)?,
            warm_start: settings.warm_start.clone(),
            seeds: self.seeds,
            first_seed: self.seed,
            budget,
            max_evaluations: self.evaluations,
            fidelity: Fidelity { epochs: self.epochs, data_fraction: 1.0 },
            threads: self.threads.map_or_else(
                || thread::available_parallelism().map_or(1, usize::from),
                usize::from,
            ),
        })
    }
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
