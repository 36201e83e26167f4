//! Approval gates: a run that stopped to wait for a person, and what the person decides.
//!
//! The core runs the approval; a policy only names what is to be approved, and whose key must sign.
//! The decision is an event of the journal like any other, so a replay knows what was approved when.
//! Where a key is asked for, each approval is checked again whenever the run is taken up: a journal
//! that was written anew can hold no approval that nobody signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use nas_plugin_api::verdict::Action;
use serde::Serialize;

use super::anchor::{anchor, check_anchored};
use super::{LaunchError, RunFolder};
use crate::budget::{Clock, RealClock};
use crate::journal::{
    Approval, ChainHash, Event, EventLog, Journal, JournalReader, Recorded, RunHistory, Signed,
    StopReason,
};
use crate::minisign;
use crate::organisation::{Organisation, PolicyPlaces};
use crate::settings::Settings;

/// What a person decides on a run that waits.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// Whether the run may go on.
    pub granted: bool,
    /// Who decides, by their own word.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The last day (`2026-01-31`, UTC) on which an approval can be used; any where absent.
    pub expires: Option<&'a str>,
    /// Minisign's signature of what [`approval_request`] gives.
    pub signature: Option<&'a str>,
}

/// The very text that is signed: it names the run and the event at which it stopped, so that a
/// signature counts for nothing else.
#[derive(Serialize)]
struct Request<'a> {
    approval_of_run: String,
    first_event_hash: String,
    stopped_at_event: u64,
    event_hash: String,
    policy: &'a str,
    threshold: &'a str,
    by: &'a str,
    reason: &'a str,
    expires: Option<&'a str>,
}

/// The text that the approver signs.
///
/// # Errors
/// A run that waits for nothing, or was decided on.
pub fn approval_request(
    folder: &RunFolder,
    decision: &Decision<'_>,
) -> Result<String, LaunchError> {
    let journal = Journal::read_only(folder.path())?;
    let (policy, threshold) = awaited(folder, &journal.history()?)?;
    let gates = Gates::of(&journal)?;
    Ok(gates.request(folder, &approval(decision, &policy, &threshold)))
}

/// Decides on what a run waits for, and journals it.
///
/// # Errors
/// A run that waits for nothing, or was decided on; one that is under way; an approval without the
/// signature that is asked for, with a wrong one, or one that expired.
pub fn decide(folder: &RunFolder, decision: &Decision<'_>) -> Result<Approval, LaunchError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut journal = Journal::open(folder.path(), Arc::clone(&clock))?;
    check_anchored(journal.reader(), folder)?;
    let history = journal.reader().history()?;
    let (policy, threshold) = awaited(folder, &history)?;
    let mut approval = approval(decision, &policy, &threshold);
    if decision.granted {
        check_expiry(&approval, clock.unix_ms())?;
        let gates = Gates::of(journal.reader())?;
        let key = gates.key(&policy, &threshold, approver(&history)?.as_deref());
        if let Some(key) = key {
            let Some(signature) = decision.signature else {
                return Err(LaunchError::WantsSignature { policy, threshold, key });
            };
            approval.signed = Some(Signed { key, signature: signature.to_owned() });
            gates.check(folder, &approval)?;
        }
    }
    journal.append(&[Event::Approval(Box::new(approval.clone()))])?;
    drop(journal);
    anchor(folder)?;
    Ok(approval)
}

/// A run that waits for a person goes on only when the person has agreed, and signed where a key is
/// asked for.
pub(super) fn check_approved(
    journal: &JournalReader,
    folder: &RunFolder,
    history: &RunHistory,
    now_ms: u64,
) -> Result<(), LaunchError> {
    check_signatures(journal, folder, history)?;
    let Some(StopReason::AwaitingApproval { policy, threshold, reason }) =
        history.stop.as_ref().map(|stop| &stop.reason)
    else {
        return Ok(());
    };
    match &history.decision {
        Some(approval @ Approval { granted: true, .. }) => check_expiry(approval, now_ms),
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

/// Every approval in a journal, where keys are asked for: it must have been signed for the very
/// event after which it stands.
fn check_signatures(
    journal: &JournalReader,
    folder: &RunFolder,
    history: &RunHistory,
) -> Result<(), LaunchError> {
    if history.approvals.is_empty() {
        return Ok(());
    }
    let approver = approver(history)?;
    let mut gates = Gates::default();
    for recorded in journal.events_with_hashes() {
        let (Recorded { seq, event, .. }, hash) = recorded?;
        if let Event::Approval(approval) = &event
            && approval.granted
            && let Some(key) = gates.key(&approval.policy, &approval.threshold, approver.as_deref())
        {
            match &approval.signed {
                Some(signed) if signed.key == key => gates.check(folder, approval)?,
                _ => {
                    let (policy, threshold) = (approval.policy.clone(), approval.threshold.clone());
                    return Err(LaunchError::WantsSignature { policy, threshold, key });
                }
            }
        }
        gates.take(seq, hash, &event);
    }
    Ok(())
}

/// What a journal says of its gates.
#[derive(Default)]
struct Gates {
    first: Option<ChainHash>,
    /// The last event at which the run stopped.
    stop: Option<(u64, ChainHash)>,
    /// Whose key must sign, by policy and threshold, as the last verdict said.
    signers: BTreeMap<(String, String), Option<String>>,
}

impl Gates {
    fn of(journal: &JournalReader) -> Result<Self, LaunchError> {
        let mut gates = Self::default();
        for recorded in journal.events_with_hashes() {
            let (Recorded { seq, event, .. }, hash) = recorded?;
            gates.take(seq, hash, &event);
        }
        Ok(gates)
    }

    fn take(&mut self, seq: u64, hash: ChainHash, event: &Event) {
        self.first.get_or_insert(hash);
        match event {
            Event::Stopped { .. } => self.stop = Some((seq, hash)),
            Event::Judged { policy, verdict, .. } => {
                if let Action::PauseForApproval { threshold, signer } = &verdict.action {
                    self.signers.insert((policy.clone(), threshold.clone()), signer.clone());
                }
            }
            _ => {}
        }
    }

    /// The key that must have signed: the organisation's approver's, or the one that the policy
    /// names.
    fn key(&self, policy: &str, threshold: &str, approver: Option<&str>) -> Option<String> {
        let signer = self.signers.get(&(policy.to_owned(), threshold.to_owned()));
        approver.map(str::to_owned).or_else(|| signer.cloned().flatten())
    }

    fn request(&self, folder: &RunFolder, approval: &Approval) -> String {
        let (seq, hash) = self.stop.unwrap_or((0, ChainHash::GENESIS));
        let request = Request {
            approval_of_run: folder.name(),
            first_event_hash: self.first.unwrap_or(ChainHash::GENESIS).to_string(),
            stopped_at_event: seq,
            event_hash: hash.to_string(),
            policy: &approval.policy,
            threshold: &approval.threshold,
            by: &approval.by,
            reason: &approval.reason,
            expires: approval.expires.as_deref(),
        };
        let mut text = serde_json::to_string_pretty(&request).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether an approval was signed, for this run and the event at which it stopped.
    fn check(&self, folder: &RunFolder, approval: &Approval) -> Result<(), LaunchError> {
        let Some(Signed { key, signature }) = &approval.signed else { return Ok(()) };
        let refused = |message: String| LaunchError::WrongSignature {
            threshold: approval.threshold.clone(),
            key: key.clone(),
            message,
        };
        let public = minisign::public_key(key).map_err(refused)?;
        let request = self.request(folder, approval);
        minisign::verify(request.as_bytes(), signature, &public).map_err(refused)?;
        Ok(())
    }
}

/// What a run waits for: which policy asked, and for what.
fn awaited(folder: &RunFolder, history: &RunHistory) -> Result<(String, String), LaunchError> {
    let nothing = |standing: String| LaunchError::NothingToDecide { run: folder.name(), standing };
    match (&history.stop, &history.decision) {
        (Some(_), Some(Approval { granted, by, .. })) => {
            let word = if *granted { "approved" } else { "denied" };
            Err(nothing(format!("{by} {word} it already")))
        }
        (Some(stop), None) => match &stop.reason {
            StopReason::AwaitingApproval { policy, threshold, .. } => {
                Ok((policy.clone(), threshold.clone()))
            }
            reason => Err(nothing(reason.to_string())),
        },
        (None, _) => Err(nothing("it has not stopped, or was cut off".to_owned())),
    }
}

/// A decision as it is journalled, without a signature.
fn approval(decision: &Decision<'_>, policy: &str, threshold: &str) -> Approval {
    Approval {
        granted: decision.granted,
        policy: policy.to_owned(),
        threshold: threshold.to_owned(),
        by: decision.by.to_owned(),
        reason: decision.reason.to_owned(),
        expires: decision.expires.map(str::to_owned),
        signed: None,
    }
}

/// The key of the organisation's approver, if the policy that holds for the run names one.
fn approver(history: &RunHistory) -> Result<Option<String>, LaunchError> {
    let settings: Option<Settings> = serde_json::from_value(history.settings.clone()).ok();
    let folder = history.start.as_ref().map(|start| start.folder.clone()).unwrap_or_default();
    let run = settings.as_ref().map(|settings| (settings, folder.as_path()));
    let organisation = Organisation::in_force(&PolicyPlaces::from_environment(), run)?;
    Ok(organisation.and_then(|organisation| organisation.rules.approval.key))
}

/// An approval can be used until the end of the day that it names.
fn check_expiry(approval: &Approval, now_ms: u64) -> Result<(), LaunchError> {
    let Some(expires) = &approval.expires else { return Ok(()) };
    let threshold = approval.threshold.clone();
    match day(expires) {
        None => Err(LaunchError::NoDay { text: expires.clone() }),
        Some(last) if now_ms / 1000 / SECONDS_PER_DAY > last => {
            Err(LaunchError::Expired { threshold, expires: expires.clone() })
        }
        Some(_) => Ok(()),
    }
}

const SECONDS_PER_DAY: u64 = 24 * 3600;

/// Days since 1970 of a date like `2026-01-31`.
fn day(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, '-');
    let mut next = || parts.next();
    let (year, month, day) = (next()?.parse().ok()?, next()?.parse::<u8>().ok()?, next()?);
    let month = time::Month::try_from(month).ok()?;
    let date = time::Date::from_calendar_date(year, month, day.parse().ok()?).ok()?;
    u64::try_from(date.to_julian_day() - time::OffsetDateTime::UNIX_EPOCH.to_julian_day()).ok()
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn a_day_is_a_date_and_nothing_else() {
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(day("2026-01-01"), Some(20_454));
        for text in ["2026-13-01", "2026-02-30", "tomorrow", "2026-01", "1969-12-31"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
