//! What follows when a search is over: the audit, the report, the exit code.

use std::sync::Arc;

use nas_core::journal::StopReason;
use nas_core::launch::{RunFolder, anchor, audit};
use nas_core::plugin::Registry;
use nas_core::search::{KeepWeights, Summary};
use serde_json::json;

use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::report::{self, Page, RunView};

/// Audits the champion where the search came to an end of its own, and reports the run.
pub(super) fn conclude(
    folder: RunFolder,
    summary: &Summary,
    registry: &Arc<Registry>,
    json: bool,
) -> Result<ExitCode, HostError> {
    if summary.champion.is_some() && is_final(&summary.reason) {
        read_holdout(&folder, registry)?;
    }
    keep_head(&folder);
    let view = RunView::read(folder)?;
    if json {
        output::data(json!({ "event": "report", "report": report::as_json(&view) }));
    } else {
        let mut page = Page::default();
        report::write_run(&view, &mut page);
        output::data(format!("\n{page}"));
    }
    Ok(ExitCode::of_search(&summary.reason, summary.champion.is_some()))
}

/// Keeps a copy of the journal's head outside of the run's folder. The run is over, and its results
/// stand without it.
fn keep_head(folder: &RunFolder) {
    if let Err(error) = anchor(folder) {
        output::note(format!(
            "No copy of the journal's head was kept, so `nas audit verify` can't see whether its \
             end is cut off later: failed to {error}"
        ));
    }
}

/// Whether the holdout may be read: it is, once, when the search has its answer.
fn is_final(reason: &StopReason) -> bool {
    !matches!(
        reason,
        StopReason::Interrupted
            | StopReason::StopFile { .. }
            | StopReason::HeartbeatLapsed { .. }
            | StopReason::AwaitingApproval { .. }
            | StopReason::PluginFailed { .. }
            | StopReason::WorkersFailed { .. }
            | StopReason::SearchFailed { .. }
    )
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
