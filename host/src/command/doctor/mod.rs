//! `nas doctor`: looks for what may be missing on this machine.

mod confinement;
mod finding;
mod installation;
mod machine;

use clap::Args;
use finding::Finding;

use crate::arguments::RunsFolder;
use crate::components;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    runs: RunsFolder,
}

/// Looks at everything, and fails if something is missing that a search needs.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    // First, while this process has one thread: what it tries, a fork of it tries.
    let confinement = confinement::look();
    let registry = components::registry();
    let mut findings = installation::look(&registry);
    findings.extend(machine::look(&arguments.runs.runs));
    findings.extend(confinement);
    let width = findings.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    for (what, finding) in &findings {
        let found = finding.found();
        output::data(format!("{}  {what:<width$}  {found}", finding.word()));
        if let Some(advice) = finding.advice() {
            output::data(format!("      {:<width$}  → {advice}", ""));
        }
    }
    match findings.iter().any(|(_, finding)| finding.is_bad()) {
        true => Ok(ExitCode::Workers),
        false => Ok(ExitCode::Success),
    }
}
