//! `nas`, the command line of the framework: reads configurations, starts searches, and shows what
//! became of them. It decides nothing about a trial and knows no tensors.

mod arguments;
mod cli;
mod error;
mod exit_code;
mod signals;

mod bench;
mod command;
mod components;
mod configuration;
mod network_space;
mod output;
mod report;
mod schema;
mod starter;

use std::panic;

use clap::Parser;

use exit_code::ExitCode;

fn main() {
    let command = cli::Cli::parse();
    let code = match panic::catch_unwind(|| cli::run(command)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            output::error(&error);
            error.exit_code()
        }
        // The panic's own message is on stderr already.
        Err(_) => {
            output::note("This is a mistake in nas itself; please report it with what you did.");
            ExitCode::Internal
        }
    };
    code.exit()
}
