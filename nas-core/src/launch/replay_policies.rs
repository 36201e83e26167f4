//! What other policies would have done in a run, without training anything.

use std::path::Path;
use std::sync::Arc;

use super::prepare::plan_of;
use super::start::check_unchanged;
use super::{LaunchError, Problem, RunFolder, prepare_policies};
use crate::journal::{Event, Journal, Recorded};
use crate::plugin::Registry;
use crate::search::{Objection, replay_policies as replay};
use crate::settings::Settings;

/// Asks the policies of `settings` everything that they would have been asked in a run. All else in
/// the settings must be the run's own; `folder` is where relative paths in settings of policies
/// begin.
///
/// # Errors
/// A run that can't be read; a space or an operation set that changed; policies that can't be
/// made.
pub fn replay_policies(
    run: &RunFolder,
    settings: &Settings,
    registry: &Arc<Registry>,
    folder: &Path,
) -> Result<Vec<Objection>, LaunchError> {
    let journal: Vec<Recorded> =
        Journal::read_only(run.path())?.events().collect::<Result<_, _>>()?;
    let Some(Recorded { event: Event::Started(start), .. }) = journal.first() else {
        return Err(LaunchError::NeverBegan { run: run.name() });
    };
    check_unchanged(start, registry)?;
    let began: Settings = serde_json::from_value(start.settings.clone())
        .map_err(|error| LaunchError::Settings(vec![Problem::new("", error.to_string())]))?;
    let mut settings = settings.clone();
    settings.budget = began.budget;
    let folders = (start.folder.as_path(), folder);
    let parts = prepare_policies(&settings, registry, folders, start.data.as_ref())
        .map_err(LaunchError::Settings)?;
    let plan = plan_of(&settings, &parts);
    Ok(replay(&parts, &settings, &plan, &journal))
}
