//! `nas resume`: goes on with a run.

use clap::Args;
use nas_core::launch::{self, ResumeChanges, RunFolder};
use nas_core::search::StopSignal;

use super::conclude::conclude;
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
    /// Only the budget may change: `--set budget.trials=200`
    #[command(flatten)]
    overrides: Overrides,
    /// Write every event as a line of JSON to stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// Takes a run up where its journal ends, and runs it to its end.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let view = RunView::read(folder.clone())?;
    let Some(mut settings) = view.settings else {
        let message = format!("the settings of `{}` can't be read by this version", folder.name());
        return Err(HostError::Usage { message });
    };
    let registry = components::registry()?;
    let overrides: Vec<Override> =
        arguments.overrides.set.iter().map(|set| Override::set(set)).collect();
    let budget = match overrides.is_empty() {
        true => None,
        false => Some(configuration::change_budget(&settings, &overrides)?),
    };
    if let Some(budget) = &budget {
        settings.budget = budget.clone();
    }
    let stop = StopSignal::default();
    signals::forward_to(&stop)
        .and_then(|()| signals::insist_on(&stop))
        .map_err(HostError::Signals)?;
    let objective = first_objective(&settings, &registry);
    let standing = progress::Standing::resumed(objective, settings.budget, &view.history);
    let mut observer = progress::observer(arguments.json, standing);
    let changes = ResumeChanges { budget };
    let summary = launch::resume(&folder, &registry, &changes, observer.as_mut(), stop.clone())?;
    drop(observer);
    conclude(folder, &summary, &registry, (&stop, arguments.json))
}
