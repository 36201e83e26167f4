//! `nas controls`: how much of a run's result is luck.

use std::sync::Arc;

use clap::Args;
use nas_core::launch::{self, ResumeChanges, RunFolder};
use nas_core::plugin::Registry;
use nas_core::search::StopSignal;
use nas_core::settings::ControlSettings;

use super::conclude::{keep_head, report};
use super::search::first_objective;
use crate::arguments::{Overrides, RunsFolder};
use crate::components;
use crate::configuration::{self, Override};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output::progress;
use crate::report::RunView;
use crate::signals;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
    /// Trainings of the best network with other seeds, those of before included
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    seeds: u32,
    /// Random networks of the same space, trained like the best one; those of before included
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    random: u32,
    /// Do not train the best network on shuffled labels
    #[arg(long)]
    no_shuffled_labels: bool,
    /// Only the budget may change, of which each training is a trial: `--set budget.trials=50`
    #[command(flatten)]
    overrides: Overrides,
    /// Write every event as a line of JSON to stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// Makes the controls that a run does not have yet, and reports it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let registry = components::registry()?;
    let asked = ControlSettings {
        seeds: arguments.seeds,
        random: arguments.random,
        shuffled_labels: !arguments.no_shuffled_labels,
        ..ControlSettings::default()
    };
    let overrides: Vec<Override> =
        arguments.overrides.set.iter().map(|set| Override::set(set)).collect();
    let stop = StopSignal::default();
    signals::forward_to(&stop).map_err(HostError::Signals)?;
    make(&folder, &registry, &asked, &overrides, (&stop, arguments.json))?;
    keep_head(&folder);
    report(folder, arguments.json)?;
    Ok(ExitCode::Success)
}

/// Makes the controls that are asked for and that the run does not have yet.
pub(super) fn make(
    folder: &RunFolder,
    registry: &Arc<Registry>,
    asked: &ControlSettings,
    overrides: &[Override],
    (stop, json): (&StopSignal, bool),
) -> Result<(), HostError> {
    let view = RunView::read(folder.clone())?;
    let Some(mut settings) = view.settings else {
        let message = format!("the settings of `{}` can't be read by this version", folder.name());
        return Err(HostError::Usage { message });
    };
    let budget = match overrides.is_empty() {
        true => None,
        false => Some(configuration::change_budget(&settings, overrides)?),
    };
    if let Some(budget) = &budget {
        settings.budget = budget.clone();
    }
    let objective = first_objective(&settings, registry);
    let standing = progress::Standing::resumed(objective, settings.budget, &view.history);
    let mut observer = progress::observer(json, standing);
    let changes = ResumeChanges { budget };
    Ok(launch::controls(folder, registry, (asked, &changes), observer.as_mut(), stop)?)
}
