//! From a file and a command line to settings, and on to a search that could begin.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nas_core::launch::{self, Prepared, Problem};
use nas_core::organisation::{Organisation, PolicyPlaces};
use nas_core::plugin::Registry;
use nas_core::settings::Settings;
use serde_json::{Map, Value};

use super::check::check;
use super::document::Document;
use super::fault::{Fault, Faults};
use super::origins::Origins;
use super::overrides::{Override, apply};
use crate::error::HostError;
use crate::exit_code::ExitCode;

/// A configuration that agrees with the schemas.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// What it says, with every default filled in.
    pub(crate) settings: Settings,
    /// The folder of the file: relative paths begin there.
    folder: PathBuf,
    /// Where each key was written.
    origins: Origins,
}

impl Configuration {
    /// The folder in which relative paths begin.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Reads a configuration file, and what the command line sets.
///
/// # Errors
/// A file that can't be read; everything in it that is wrong.
pub(crate) fn read(
    path: &Path,
    overrides: &[Override],
    registry: &Registry,
) -> Result<Configuration, HostError> {
    let text = fs::read_to_string(path).map_err(|source| HostError::File {
        what: "read the configuration",
        path: path.to_owned(),
        source,
    })?;
    let document = Document::parse(path, &text).map_err(HostError::Configuration)?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    read_document(document, folder, overrides, registry)
}

/// The same of a table that no file has; relative paths begin in `folder`.
///
/// # Errors
/// Everything in it that is wrong.
pub(crate) fn of_table(
    table: Map<String, Value>,
    folder: PathBuf,
    overrides: &[Override],
    registry: &Registry,
) -> Result<Configuration, HostError> {
    let document = Document { table, ..Document::default() };
    read_document(document, folder, overrides, registry)
}

/// The settings of a run with the policies of a file in place of its own; relative paths in the
/// policies begin in the file's folder.
///
/// # Errors
/// A file that can't be read, or has no policies; everything that is wrong with them.
pub(crate) fn with_policies_of(
    path: &Path,
    settings: &Settings,
    registry: &Registry,
) -> Result<Configuration, HostError> {
    let text = fs::read_to_string(path).map_err(|source| HostError::File {
        what: "read the policies",
        path: path.to_owned(),
        source,
    })?;
    let mut document = Document::parse(path, &text).map_err(HostError::Configuration)?;
    let policies = document.table.shift_remove("policy");
    let Some(policies @ Value::Array(_)) = policies else {
        let problem = Problem::new("policy", "the file has no policies")
            .expecting("tables `[[policy]]`, each with `name = \"…\"`");
        let faults = vec![Fault::at(problem, &document.origins)];
        return Err(HostError::Configuration(Faults::new(faults, ExitCode::Configuration)));
    };
    let Ok(Value::Object(mut table)) = serde_json::to_value(settings) else {
        let message = "the settings of the run can't be written".to_owned();
        return Err(HostError::Usage { message });
    };
    table.insert("policy".to_owned(), policies);
    document.table = table;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    read_document(document, folder, &[], registry)
}

fn read_document(
    mut document: Document,
    folder: PathBuf,
    overrides: &[Override],
    registry: &Registry,
) -> Result<Configuration, HostError> {
    apply(&mut document, overrides).map_err(HostError::Configuration)?;
    let Document { table, origins } = document;
    let settings = check(&table, registry)
        .map_err(|problems| located(problems, &origins, ExitCode::Configuration))?;
    Ok(Configuration { settings, folder, origins })
}

/// Checks what schemas can't: makes every component and splits the data.
///
/// # Errors
/// Everything that is wrong, at the places where it was written.
pub(crate) fn prepare(
    configuration: &Configuration,
    registry: &Arc<Registry>,
) -> Result<Prepared, HostError> {
    let Configuration { settings, folder, origins } = configuration;
    // The same is looked for below; here it is known that the configuration is not to blame.
    Organisation::in_force(&PolicyPlaces::from_environment(), Some((settings, folder)))?;
    launch::prepare(settings, registry, folder).map_err(|problems| {
        let of_data = |problem: &Problem| problem.key == "data" || problem.key.starts_with("data.");
        let code = match problems.iter().all(of_data) && settings.data.is_some() {
            true => ExitCode::Data,
            false => ExitCode::Configuration,
        };
        located(problems, origins, code)
    })
}

fn located(problems: Vec<Problem>, origins: &Origins, code: ExitCode) -> HostError {
    let faults = problems.into_iter().map(|problem| Fault::at(problem, origins)).collect();
    HostError::Configuration(Faults::new(faults, code))
}
