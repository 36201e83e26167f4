//! What follows when a search is over: the audit, the report, the exit code.

use std::sync::Arc;

use nas_core::launch::{RunFolder, anchor, audit};
use nas_core::plugin::Registry;
use nas_core::search::{KeepWeights, StopSignal, Summary};
use serde_json::json;

use super::controls;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::report::{Page, RunView};

/// Audits the champion where the search came to an end of its own, makes the controls that the run
/// is to have, and reports it.
pub(super) fn conclude(
    folder: RunFolder,
    summary: &Summary,
    registry: &Arc<Registry>,
    (stop, json): (&StopSignal, bool),
) -> Result<ExitCode, HostError> {
    if summary.champion.is_some() && summary.reason.is_final() {
        read_holdout(&folder, registry)?;
        check_result(&folder, registry, stop, json)?;
    }
    keep_head(&folder);
    report(folder, json)?;
    Ok(ExitCode::of_search(&summary.reason, summary.champion.is_some()))
}

/// Reports a run that is over.
pub(super) fn report(folder: RunFolder, json: bool) -> Result<(), HostError> {
    let view = RunView::read(folder)?;
    if json {
        output::data(json!({ "event": "report", "report": crate::report::as_json(&view) }));
    } else {
        let mut page = Page::default();
        crate::report::write_run(&view, &mut page);
        output::data(format!("\n{page}"));
    }
    Ok(())
}

/// A champion whose controls fail is still one; the note says what is missing.
fn check_result(
    folder: &RunFolder,
    registry: &Arc<Registry>,
    stop: &StopSignal,
    json: bool,
) -> Result<(), HostError> {
    let view = RunView::read_without_plugins(folder.clone())?;
    let Some(asked) = view.settings.map(|settings| settings.controls) else { return Ok(()) };
    if asked.n_wanted() > 0
        && let Err(error) = controls::make(folder, registry, &asked, &[], (stop, json))
    {
        output::note(format!("The controls of the result came to nothing: {error}"));
    }
    Ok(())
}

/// Keeps a copy of the journal's head outside of the run's folder. The run is over, and its results
/// stand without it.
pub(super) fn keep_head(folder: &RunFolder) {
    if let Err(error) = anchor(folder) {
        output::note(format!(
            "No copy of the journal's head was kept, so `nas audit verify` can't see whether its \
             end is cut off later: failed to {error}"
        ));
    }
}

/// A champion that can't be audited is still one; the note says what is missing.
fn read_holdout(folder: &RunFolder, registry: &Arc<Registry>) -> Result<(), HostError> {
    let view = RunView::read(folder.clone())?;
    let keeps = view.settings.is_some_and(|settings| {
        settings.benchmark.is_some()
            || (settings.data.is_some()
                && settings.inherit.is_none()
                && settings.execution.keep_weights != KeepWeights::None)
    });
    if keeps && let Err(error) = audit(folder, registry) {
        output::note(format!("The best network could not be audited on the holdout: {error}"));
    }
    Ok(())
}
