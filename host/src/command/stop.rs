//! `nas stop`: asks a running search to stop.

use clap::Args;
use nas_core::launch::{RunFolder, StopWish};
use nas_core::time_span::TimeSpan;

use crate::arguments::RunsFolder;
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
    /// Wait so long for the running trials and no longer, such as `30s`
    #[arg(long, value_name = "TIME", conflicts_with = "now")]
    deadline: Option<TimeSpan>,
}

/// Leaves the wish in the run's folder, where its supervisor sees it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let (wish, when) = match (arguments.now, arguments.deadline) {
        (true, _) => (StopWish::Now, "now".to_owned()),
        (false, Some(deadline)) => (
            StopWish::Graceful { deadline: Some(deadline) },
            format!("when its running trials have ended, {deadline} from now at the latest"),
        ),
        (false, None) => {
            (StopWish::Graceful { deadline: None }, "when its running trials have ended".to_owned())
        }
    };
    // First of all: a stop needs no journal that can be read, and no time to read it.
    folder.request_stop(wish)?;
    let name = folder.name();
    output::note(match RunView::read(folder) {
        Ok(view) if view.history.stop.is_some() => {
            format!("{name} is over already: {}", headline(&view))
        }
        _ => format!("Asked {name} to stop {when}; `nas resume` goes on with it."),
    });
    Ok(ExitCode::Success)
}
