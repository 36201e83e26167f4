//! `nas search`: runs a search.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use nas_core::launch::Prepared;
use nas_core::plugin::Registry;
use nas_core::search::StopSignal;
use nas_core::settings::Settings;
use nas_plugin_api::objective::Objective;
use serde_json::Value;

use super::conclude::conclude;
use crate::arguments::Overrides;
use crate::components;
use crate::configuration::{self, Configuration, Override};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output::{self, number, progress};
use crate::signals;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The configuration (TOML); `nas init` writes one
    config: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Seed of everything random; short for `--set seed=…`
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Name of the run, part of its folder's name; short for `--set name=…`
    #[arg(long)]
    name: Option<String>,
    /// Write every event as a line of JSON to stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// Runs a search to its end.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, HostError> {
    let registry = components::registry()?;
    let configuration = configuration::read(&arguments.config, &arguments.overrides(), &registry)?;
    launch(&configuration, &registry, arguments.json)
}

/// Runs what a configuration says, to its end.
pub(super) fn launch(
    configuration: &Configuration,
    registry: &Arc<Registry>,
    json: bool,
) -> Result<ExitCode, HostError> {
    let prepared = configuration::prepare(configuration, registry)?;
    if !json {
        output::note(introduction(&prepared));
    }
    let stop = StopSignal::default();
    signals::forward_to(&stop)
        .and_then(|()| signals::insist_on(&stop))
        .map_err(HostError::Signals)?;
    let settings = prepared.settings();
    let objective = first_objective(settings, registry);
    let standing = progress::Standing::new(objective, settings.budget.clone());
    let mut observer = progress::observer(json, standing);
    let (folder, summary) = prepared.start(observer.as_mut(), stop.clone())?;
    drop(observer);
    conclude(folder, &summary, registry, (&stop, json))
}

impl Arguments {
    fn overrides(&self) -> Vec<Override> {
        let mut all: Vec<Override> =
            self.overrides.set.iter().map(|set| Override::set(set)).collect();
        if let Some(seed) = self.seed {
            all.push(Override::number("seed", seed));
        }
        if let Some(name) = &self.name {
            all.push(Override::text("name", name));
        }
        all
    }
}

/// The first objective of a search; a fitness that can't say it is met again when it scores.
pub(super) fn first_objective(settings: &Settings, registry: &Arc<Registry>) -> Objective {
    let config = Value::Object(settings.fitness.config.clone());
    let fitness = registry.fitness(&settings.fitness.name, &config).ok();
    fitness
        .and_then(|fitness| fitness.objectives().into_iter().next())
        .unwrap_or_else(|| Objective::maximize("score"))
}

/// What is about to happen, in two lines.
fn introduction(prepared: &Prepared) -> String {
    let settings = prepared.settings();
    let data = prepared.data().map_or_else(String::new, |data| {
        format!(
            "; {} training, {} validation and {} holdout images",
            data.train.images, data.validation.images, data.holdout.images
        )
    });
    let units = if prepared.one_shot().is_some() { "epoch or trials" } else { "trials" };
    let held = prepared.organisation().map_or_else(String::new, |organisation| {
        format!("The search is held to {}.\n", organisation.title())
    });
    format!(
        "{held}Searching space {} ({} genotypes) by {}, {} workers on {}{data}.\n\
         Ctrl-C once stops when the running {units} have ended, twice stops now.",
        settings.space.name,
        number::count(prepared.space().space().size()),
        settings.strategy.name,
        settings.execution.workers,
        settings.execution.device,
    )
}
