//! `nas init`: writes a configuration to start from.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nas_plugin_api::component::ComponentKind;

use crate::components;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::starter::{Choice, starter};

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The file to write; `-` prints it
    #[arg(default_value = "search.toml")]
    file: PathBuf,
    /// The operations
    #[arg(long, value_name = "NAME", default_value = "nb201")]
    operations: String,
    /// The search space
    #[arg(long, value_name = "NAME", default_value = "nb201")]
    space: String,
    /// The strategy
    #[arg(long, value_name = "NAME", default_value = "portfolio")]
    strategy: String,
    /// The fitness function
    #[arg(long, value_name = "NAME", default_value = "accuracy")]
    fitness: String,
    /// A policy; may be given several times
    #[arg(long, value_name = "NAME", default_values = ["limits", "runaway", "convergence"])]
    policy: Vec<String>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// Writes the starter.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, HostError> {
    let registry = components::registry()?;
    let mut choices = Vec::new();
    let mut choose = |kind, name: &str| -> Result<(), HostError> {
        choices.push(Choice { kind, info: registry.find(kind, name)?.info.clone() });
        Ok(())
    };
    choose(ComponentKind::Operations, &arguments.operations)?;
    choose(ComponentKind::Space, &arguments.space)?;
    choose(registry.strategy_kind(&arguments.strategy, false), &arguments.strategy)?;
    choose(ComponentKind::Fitness, &arguments.fitness)?;
    arguments.policy.iter().try_for_each(|name| choose(ComponentKind::Policy, name))?;
    let text = starter(&choices);
    if arguments.file == Path::new("-") {
        output::data(text.trim_end());
        return Ok(ExitCode::Success);
    }
    write(&arguments.file, &text, arguments.force)?;
    output::note(format!(
        "Wrote {file}. `nas check {file}` checks it, `nas search {file}` runs it.",
        file = arguments.file.display()
    ));
    Ok(ExitCode::Success)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), HostError> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(true);
    match force {
        true => options.create(true),
        false => options.create_new(true),
    };
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => HostError::Usage {
            message: format!("`{}` exists already; --force replaces it", path.display()),
        },
        _ => HostError::File { what: "write", path: path.to_owned(), source },
    })
}
