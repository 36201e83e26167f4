//! When copies of a journal's head are kept outside of the run's folder, and compared.

use super::{LaunchError, RunFolder};
use crate::budget::{Clock, RealClock};
use crate::journal::{Anchor, AnchorError, AnchorFile, Finding, Journal, JournalReader};

/// Keeps a copy of the head of a run that ended or pauses, where there is a place for it
/// ([`AnchorFile::from_environment`]).
///
/// # Errors
/// A journal that can't be read; a file that can't be written.
pub fn anchor(folder: &RunFolder) -> Result<(), LaunchError> {
    keep(&Journal::read_only(folder.path())?)
}

/// The same at a run's beginning. Who named a file wants no run without it; the default one is not
/// worth a run.
pub(super) fn anchor_beginning(journal: &JournalReader) -> Result<(), LaunchError> {
    let kept = keep(journal);
    match AnchorFile::from_environment() {
        Some(file) if file.is_named() => kept,
        _ => Ok(()),
    }
}

/// Compares a journal with the copies of its head before it is gone on with.
pub(super) fn check_anchored(
    journal: &JournalReader,
    folder: &RunFolder,
) -> Result<(), LaunchError> {
    let Some(file) = AnchorFile::from_environment() else { return Ok(()) };
    let is_named = file.is_named();
    let anchors: Result<Vec<Anchor>, AnchorError> = journal.anchors(&file);
    let anchors = match anchors {
        Err(error) if is_named => return Err(error.into()),
        anchors => anchors.unwrap_or_default(),
    };
    let finding: Option<Finding> = journal.examine(&anchors)?.findings.into_iter().next();
    finding.map_or(Ok(()), |finding| Err(LaunchError::Tampered { run: folder.name(), finding }))
}

fn keep(journal: &JournalReader) -> Result<(), LaunchError> {
    let Some(file) = AnchorFile::from_environment() else { return Ok(()) };
    match journal.anchor(RealClock::new().unix_ms())? {
        Some(anchor) => Ok(file.append(&anchor)?),
        None => Ok(()),
    }
}
