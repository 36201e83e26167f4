//! `nas show`: what a run found, from its journal.

use clap::Args;
use nas_core::launch::RunFolder;
use nas_plugin_api::trial::TrialId;

use crate::arguments::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::report::{self, Page, RunView};

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
    /// Show this trial: lineage, curve, cost, verdicts, log
    #[arg(long, value_name = "NUMBER")]
    trial: Option<TrialId>,
    /// Show this epoch of a one-shot search: losses, signals, architecture weights
    #[arg(long, value_name = "NUMBER", conflicts_with = "trial")]
    epoch: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the page of a run or of one of its trials.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let view = RunView::read(folder)?;
    if let Some(epoch) = arguments.epoch {
        return show_epoch(&view, epoch, arguments.json);
    }
    let mut page = Page::default();
    match arguments.trial {
        Some(trial) => {
            if !report::write_trial(&view, trial, &mut page) {
                return Err(no_trial(&view, trial));
            }
        }
        None => report::write_run(&view, &mut page),
    }
    match (arguments.json, arguments.trial) {
        (false, _) => output::data(page),
        (true, Some(trial)) => output::data(pretty(&report::trial_as_json(&view, trial))),
        (true, None) => output::data(pretty(&report::as_json(&view))),
    }
    Ok(ExitCode::Success)
}

fn show_epoch(view: &RunView, epoch: u32, json: bool) -> Result<ExitCode, HostError> {
    let search = &view.history.search;
    let mut page = Page::default();
    let told = search.line().find(|told| told.shown.checkpoint.epoch == epoch);
    match told.filter(|_| report::write_epoch(view, epoch, &mut page)) {
        Some(told) if json => output::data(pretty(&report::epoch_as_json(told))),
        Some(_) => output::data(page),
        None => {
            let known = match search.last() {
                None => "it has none".to_owned(),
                Some(last) => format!("it has 0 to {}", last.checkpoint.epoch),
            };
            let name = view.folder.name();
            let message = format!("{name} has no epoch {epoch} of a one-shot search: {known}");
            return Err(HostError::Usage { message });
        }
    }
    Ok(ExitCode::Success)
}

fn no_trial(view: &RunView, trial: TrialId) -> HostError {
    let known = match view.history.proposed() {
        0 => "it has none".to_owned(),
        count => format!("it has 0 to {}", count - 1),
    };
    HostError::Usage { message: format!("{} has no trial {trial}: {known}", view.folder.name()) }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}
