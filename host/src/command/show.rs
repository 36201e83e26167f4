//! `nas show`: what a run found, from its journal.

use clap::Args;
use nas_core::launch::RunFolder;
use nas_plugin_api::trial::TrialId;

use crate::cli::RunsFolder;
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the page of a run or of one of its trials.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let view = RunView::read(folder)?;
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
