//! `nas approve` and `nas deny`: a person decides on a run that waits for approval.

use std::path::PathBuf;

use clap::Args;
use nas_core::journal::Approval;
use nas_core::launch::{self, Decision, RunFolder};

use crate::arguments::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;

/// What can be given to both.
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

/// What can be given to an approval.
#[derive(Args)]
pub(crate) struct ApproveArguments {
    #[command(flatten)]
    decision: Arguments,
    /// The last day on which the approval can be used, as 2026-01-31 (UTC)
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Print the text that the approver signs, and decide nothing
    #[arg(long, conflicts_with = "signature")]
    request: bool,
    /// The signature of that text, where one is asked for (`minisign -S -m FILE` makes it)
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

/// Journals an approval, or prints what is to be signed for it.
pub(crate) fn approve(arguments: &ApproveArguments) -> Result<ExitCode, HostError> {
    let ApproveArguments { decision: Arguments { reason, by, .. }, .. } = arguments;
    let folder = arguments.decision.folder()?;
    let signature =
        match &arguments.signature {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|source| {
                HostError::File { what: "read the signature in", path: path.clone(), source }
            })?),
        };
    let (expires, signature) = (arguments.expires.as_deref(), signature.as_deref());
    let decision = Decision { granted: true, by, reason, expires, signature };
    if arguments.request {
        output::data(launch::approval_request(&folder, &decision)?.trim_end());
        return Ok(ExitCode::Success);
    }
    let Approval { threshold, .. } = launch::decide(&folder, &decision)?;
    let name = folder.name();
    output::note(format!("Approved {threshold} of {name}; `nas resume {name}` goes on with it."));
    Ok(ExitCode::Success)
}

/// Journals a denial.
pub(crate) fn deny(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let Arguments { reason, by, .. } = arguments;
    let folder = arguments.folder()?;
    let decision = Decision { granted: false, by, reason, expires: None, signature: None };
    let Approval { threshold, .. } = launch::decide(&folder, &decision)?;
    let name = folder.name();
    output::note(format!("Denied {threshold} of {name}; it does not go on."));
    Ok(ExitCode::Success)
}

impl Arguments {
    /// The run's folder, if a decision can be journalled with these arguments.
    fn folder(&self) -> Result<RunFolder, HostError> {
        if self.reason.trim().is_empty() || self.by.trim().is_empty() {
            let message =
                "a decision needs a reason and a name: --reason TEXT --by NAME".to_owned();
            return Err(HostError::Usage { message });
        }
        Ok(RunFolder::open(&self.run, &self.runs.runs)?)
    }
}
