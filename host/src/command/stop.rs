//! `nas stop`: asks a running search to stop.

use clap::Args;
use nas_core::launch::RunFolder;

use crate::cli::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::report::{RunView, headline};

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
    /// Do not wait for the running trials; they are tried again on resume
    #[arg(long)]
    now: bool,
}

/// Leaves the wish in the run's folder, where its supervisor sees it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let view = RunView::read(folder.clone())?;
    if view.history.stop.is_some() {
        output::note(format!("{} is over already: {}", folder.name(), headline(&view)));
        return Ok(ExitCode::Success);
    }
    folder.request_stop(arguments.now)?;
    let when = if arguments.now { "now" } else { "when its running trials have ended" };
    output::note(format!("Asked {} to stop {when}; `nas resume` goes on with it.", folder.name()));
    Ok(ExitCode::Success)
}
