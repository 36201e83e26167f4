//! `nas approve` and `nas deny`: a person decides on a run that waits for approval.

use clap::Args;
use nas_core::journal::Approval;
use nas_core::launch::{self, RunFolder};

use crate::cli::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
    /// Why; it is journalled
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides; it is journalled as it is given
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    by: String,
}

/// Journals the decision.
pub(crate) fn run(arguments: &Arguments, granted: bool) -> Result<ExitCode, HostError> {
    let Arguments { run, runs, reason, by } = arguments;
    if reason.trim().is_empty() || by.trim().is_empty() {
        let message = "a decision needs a reason and a name: --reason TEXT --by NAME".to_owned();
        return Err(HostError::Usage { message });
    }
    let folder = RunFolder::open(run, &runs.runs)?;
    let Approval { threshold, .. } = launch::decide(&folder, granted, by, reason)?;
    let name = folder.name();
    output::note(match granted {
        true => format!("Approved {threshold} of {name}; `nas resume {name}` goes on with it."),
        false => format!("Denied {threshold} of {name}; it does not go on."),
    });
    Ok(ExitCode::Success)
}
