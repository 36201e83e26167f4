//! `nas quota`: what teams have spent and hold of their monthly quotas.

use std::path::PathBuf;

use clap::Args;
use nas_core::budget::{Clock, Quota, RealClock};

use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output::table::{Align, Table};
use crate::output::{self, number};

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The file with the quotas (TOML)
    file: PathBuf,
}

/// Prints a line for each limit of each team.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let mut table = Table::new(&[
        ("team", Align::Left),
        ("month", Align::Left),
        ("runs", Align::Right),
        ("limit of", Align::Left),
        ("spent", Align::Right),
        ("held", Align::Right),
        ("may spend", Align::Right),
    ]);
    for standing in Quota::standings(&arguments.file, RealClock::new().unix_ms())? {
        for (name, limit) in &standing.caps {
            table.row([
                standing.team.clone(),
                standing.month.clone(),
                standing.n_runs.to_string(),
                name.clone(),
                number::value(standing.spent_of(name)),
                number::value(standing.held_of(name)),
                number::value(*limit),
            ]);
        }
    }
    output::data(table);
    Ok(ExitCode::Success)
}
