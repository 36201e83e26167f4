//! The command line: subcommands, and which file each is in.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::command;
use crate::error::HostError;
use crate::exit_code::ExitCode;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Searches neural network architectures. Every idea is a plugin: operations, space, strategy,
/// fitness, policies.
#[derive(Parser)]
#[command(name = "nas", version, styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "A first search: `nas init` writes search.toml, `nas search search.toml` runs it."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a search
    Search(command::search::Arguments),
    /// Go on with a run that was stopped or cut off
    Resume(command::resume::Arguments),
    /// Score a strategy on a benchmark's table, over many seeds
    Bench(Box<command::bench::Arguments>),
    /// Train what a run found from scratch, at another scale too
    Retrain(command::retrain::Arguments),
    /// Train controls of a run's result: how much of it is luck
    Controls(command::controls::Arguments),
    /// Ask a running search to stop
    Stop(command::stop::Arguments),
    /// Give a run a sign of life, for which a run with `stop.heartbeat` waits
    Heartbeat(command::heartbeat::Arguments),
    /// Approve what a run waits for, so that `nas resume` goes on with it
    Approve(command::approve::ApproveArguments),
    /// Deny what a run waits for: it does not go on
    Deny(command::approve::Arguments),
    /// Show what teams have spent and hold of their monthly quotas
    Quota(command::quota::Arguments),
    /// List the runs
    Runs(command::runs::Arguments),
    /// Show what a run found, from its journal; works while it runs
    Show(command::show::Arguments),
    /// Show, check or export everything that a run's journal has on record
    #[command(subcommand)]
    Audit(command::audit::Subcommand),
    /// Ask policies what they would have done
    #[command(subcommand)]
    Policy(command::policy::Subcommand),
    /// List plugins, or show the settings of a component
    #[command(subcommand)]
    Plugin(command::plugin::Subcommand),
    /// Look at a search space without training anything
    #[command(subcommand)]
    Space(command::space::Subcommand),
    /// Write a configuration to start from, with every setting explained
    Init(command::init::Arguments),
    /// Check a configuration, with everything it names, and run nothing
    Check(command::check::Arguments),
    /// Look for what may be missing on this machine
    Doctor(command::doctor::Arguments),
    /// Print pages of the book's reference, generated from the schemas
    #[command(subcommand, hide = true)]
    Reference(command::reference::Subcommand),
}

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, HostError> {
    match cli.command {
        Command::Search(arguments) => command::search::run(arguments),
        Command::Resume(arguments) => command::resume::run(arguments),
        Command::Bench(arguments) => command::bench::run(&arguments),
        Command::Retrain(arguments) => command::retrain::run(arguments),
        Command::Controls(arguments) => command::controls::run(&arguments),
        Command::Stop(arguments) => command::stop::run(&arguments),
        Command::Heartbeat(arguments) => command::heartbeat::run(&arguments),
        Command::Approve(arguments) => command::approve::approve(&arguments),
        Command::Deny(arguments) => command::approve::deny(&arguments),
        Command::Quota(arguments) => command::quota::run(&arguments),
        Command::Runs(arguments) => command::runs::run(&arguments),
        Command::Show(arguments) => command::show::run(&arguments),
        Command::Audit(subcommand) => command::audit::run(&subcommand),
        Command::Policy(subcommand) => command::policy::run(&subcommand),
        Command::Plugin(subcommand) => command::plugin::run(&subcommand),
        Command::Space(subcommand) => command::space::run(&subcommand),
        Command::Init(arguments) => command::init::run(&arguments),
        Command::Check(arguments) => command::check::run(&arguments),
        Command::Doctor(arguments) => command::doctor::run(&arguments),
        Command::Reference(subcommand) => command::reference::run(&subcommand),
    }
}
