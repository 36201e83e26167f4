//! Arguments that several subcommands take.

use std::path::PathBuf;

use clap::Args;

/// Where runs are.
#[derive(Args)]
pub(crate) struct RunsFolder {
    /// Folder with the runs
    #[arg(long, value_name = "FOLDER", env = "NAS_RUNS", default_value = "runs")]
    pub(crate) runs: PathBuf,
}

/// What of a configuration is set on the command line.
#[derive(Args)]
pub(crate) struct Overrides {
    /// Set one key of the configuration: `--set training.epochs=3`, `--set policy.0.mode=observe`.
    /// The value is TOML; a plain word needs no quotes. May be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}
