//! `nas retrain`: trains what a run found from scratch, at another scale if that is wanted.

use clap::Args;
use nas_core::launch::RunFolder;
use nas_plugin_api::trial::TrialId;
use serde_json::{Value, json};

use super::search;
use crate::arguments::{Overrides, RunsFolder};
use crate::components;
use crate::configuration::{self, Override};
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::report::RunView;

/// What can be given.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run: its folder, its name, the beginning of its name, or `last`
    run: String,
    #[command(flatten)]
    runs: RunsFolder,
    /// The trial whose network is trained; the run's best one if not given
    #[arg(long, value_name = "NUMBER")]
    trial: Option<TrialId>,
    #[command(flatten)]
    overrides: Overrides,
    /// Write every event as a line of JSON to stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// Begins a run with the settings of another one, whose strategy is a list of one genotype.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, HostError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.runs)?;
    let view = RunView::read(folder.clone())?;
    let name = folder.name();
    let usage = |message: String| HostError::Usage { message };
    let Some(settings) = &view.settings else {
        return Err(usage(format!("the settings of `{name}` can't be read by this version")));
    };
    let Some(trial) = arguments.trial.or_else(|| view.champion()) else {
        return Err(usage(format!("no trial of `{name}` has a result; name one with --trial")));
    };
    let Some(proposal) = view.history.proposal(trial) else {
        return Err(usage(format!("`{name}` has no trial {trial}")));
    };
    let genotype = view.text(&proposal.genotype);
    let mut table = match serde_json::to_value(settings) {
        Ok(Value::Object(table)) => table,
        _ => return Err(usage(format!("the settings of `{name}` can't be written"))),
    };
    table.retain(|key, _| !["supernet", "inherit"].contains(&key.as_str()));
    table.insert("name".to_owned(), json!(format!("{}-retrained", settings.name)));
    table.insert("strategy".to_owned(), json!({ "name": "list", "genotypes": [genotype] }));
    let registry = components::registry()?;
    let overrides: Vec<Override> =
        arguments.overrides.set.iter().map(|set| Override::set(set)).collect();
    let began_in =
        view.history.start.as_ref().map(|start| start.folder.clone()).unwrap_or_default();
    let configuration = configuration::of_table(table, began_in, &overrides, &registry)?;
    search::launch(&configuration, &registry, arguments.json)
}
