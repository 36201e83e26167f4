//! `nas runs`: lists the runs.

use clap::Args;
use nas_core::launch::RunFolder;

use crate::arguments::RunsFolder;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output::table::{Align, Table};
use crate::output::{self, number};
use crate::report::{RunView, headline};

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    runs: RunsFolder,
}

/// Prints a line for each run, oldest first.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let folders = RunFolder::list(&arguments.runs.runs)?;
    if folders.is_empty() {
        let runs = arguments.runs.runs.display();
        output::note(format!("There is no run in `{runs}`; `nas search CONFIG` makes one."));
        return Ok(ExitCode::Success);
    }
    let mut table = Table::new(&[
        ("run", Align::Left),
        ("trials", Align::Right),
        ("best", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("state", Align::Left),
    ]);
    for folder in folders {
        let name = folder.name();
        // One damaged run does not hide the others.
        let view = match RunView::read_without_plugins(folder) {
            Ok(view) => view,
            Err(error) => {
                let none = String::new;
                table.row([name, none(), none(), none(), none(), format!("failed to {error}")]);
                continue;
            }
        };
        let best = view.champion().and_then(|trial| view.history.results.get(&trial));
        let best = best.and_then(|result| result.objectives.first().copied());
        let spent = view.history.tally.spent();
        table.row([
            name,
            spent.trials.to_string(),
            best.map_or_else(|| "—".to_owned(), number::value),
            number::seconds(spent.wall_seconds),
            number::seconds(spent.cpu_seconds),
            headline(&view),
        ]);
    }
    output::data(table);
    Ok(ExitCode::Success)
}
