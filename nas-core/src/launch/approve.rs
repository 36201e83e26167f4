//! Approval gates: a run that stopped to wait for a person, and what the person decides.
//!
//! The core runs the approval; a policy only names what is to be approved. The decision is an event
//! of the journal like any other, so a replay knows what was approved when.

use std::sync::Arc;

use nas_plugin_api::verdict::Action;

use super::anchor::{anchor, check_anchored};
use super::{LaunchError, RunFolder};
use crate::budget::{Clock, RealClock};
use crate::journal::{Approval, Event, EventLog, Journal, RunHistory, StopReason};

/// Decides on what a run waits for, and journals it.
///
/// # Errors
/// A run that waits for nothing, or was decided on; one that is under way; one whose policy wants a
/// signature.
pub fn decide(
    folder: &RunFolder,
    granted: bool,
    by: &str,
    reason: &str,
) -> Result<Approval, LaunchError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut journal = Journal::open(folder.path(), clock)?;
    check_anchored(journal.reader(), folder)?;
    let history = journal.reader().history()?;
    let nothing = |standing: String| LaunchError::NothingToDecide { run: folder.name(), standing };
    let (policy, threshold) = match (&history.stop, &history.decision) {
        (Some(_), Some(Approval { granted, by, .. })) => {
            let word = if *granted { "approved" } else { "denied" };
            return Err(nothing(format!("{by} {word} it already")));
        }
        (Some(stop), None) => match &stop.reason {
            StopReason::AwaitingApproval { policy, threshold, .. } => {
                (policy.clone(), threshold.clone())
            }
            reason => return Err(nothing(reason.to_string())),
        },
        (None, _) => return Err(nothing("it has not stopped, or was cut off".to_owned())),
    };
    if granted && let Some(signer) = signer(&history, &policy, &threshold) {
        return Err(LaunchError::WantsSignature { policy, threshold, signer });
    }
    let (by, reason) = (by.to_owned(), reason.to_owned());
    let approval = Approval { granted, policy, threshold, by, reason };
    journal.append(&[Event::Approval(Box::new(approval.clone()))])?;
    drop(journal);
    anchor(folder)?;
    Ok(approval)
}

/// A run that waits for a person goes on only when the person has agreed.
pub(super) fn check_approved(history: &RunHistory) -> Result<(), LaunchError> {
    let Some(StopReason::AwaitingApproval { policy, threshold, reason }) =
        history.stop.as_ref().map(|stop| &stop.reason)
    else {
        return Ok(());
    };
    match &history.decision {
        Some(Approval { granted: true, .. }) => Ok(()),
        Some(Approval { by, threshold, reason, .. }) => Err(LaunchError::Denied {
            by: by.clone(),
            threshold: threshold.clone(),
            reason: reason.clone(),
        }),
        None => Err(LaunchError::AwaitsApproval {
            policy: policy.clone(),
            threshold: threshold.clone(),
            reason: reason.clone(),
        }),
    }
}

/// Whose key must sign, by the last verdict that asked.
fn signer(history: &RunHistory, policy: &str, threshold: &str) -> Option<String> {
    history.judgements.iter().rev().find_map(|judgement| match &judgement.verdict.action {
        Action::PauseForApproval { threshold: of, signer }
            if judgement.policy == policy && of == threshold =>
        {
            Some(signer.clone())
        }
        _ => None,
    })?
}
