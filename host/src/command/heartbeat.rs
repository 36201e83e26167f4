//! `nas heartbeat`: gives a run a sign of life.

use clap::Args;
use nas_core::launch::RunFolder;

use crate::arguments::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::report::RunView;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
}

/// Leaves the sign in the run's folder, where its supervisor sees it, now or when it is resumed.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let view = RunView::read(folder.clone())?;
    let interval = view.settings.and_then(|settings| settings.stop.heartbeat);
    let Some(interval) = interval else {
        let name = folder.name();
        return Err(HostError::Usage {
            message: format!("`{name}` waits for no sign of life: it has no `stop.heartbeat`"),
        });
    };
    folder.renew_heartbeat()?;
    output::note(format!("{} has {interval} from now until the next one.", folder.name()));
    Ok(ExitCode::Success)
}
