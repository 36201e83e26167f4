//! The gate: what happens to a proposal before anything is built for it.

use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{Action, Candidate, PolicyContext, Question};

use super::archive::{Archive, Key, Met, repeated};
use super::policies::{Judgement, judge};
use super::{Parts, Policy};
use crate::journal::{Event, TrialResult};
use crate::network::{NetworkSpace, Outline};

/// What becomes of a proposal.
pub(super) enum Admission {
    /// It is to be evaluated.
    Admitted(Box<Admitted>),
    /// The same network is being evaluated as this trial.
    Follows(TrialId, Box<Admitted>),
    /// It ended here.
    Settled(Box<TrialResult>),
}

/// A proposal that may be evaluated.
pub(super) struct Admitted {
    pub(super) key: Key,
    pub(super) outline: Outline,
    pub(super) fidelity: Fidelity,
}

/// Looks at one proposal: is it one of the space, what does it cost, was it met before, does a
/// policy object?
pub(super) fn admit(
    parts: &Parts,
    archive: &Archive,
    reuse_results: bool,
    trial: TrialId,
    proposal: &Proposal,
    context: &PolicyContext,
    events: &mut Vec<Event>,
) -> (Admission, Option<Judgement>) {
    let fidelity = proposal.details.fidelity.unwrap_or(parts.fidelity);
    let outline = match look(&parts.space, proposal, &fidelity) {
        Ok(outline) => outline,
        Err(reason) => {
            let result = settled(Outcome::Invalid, None, reason);
            return (Admission::Settled(Box::new(result)), None);
        }
    };
    // Policies see every valid candidate, duplicates too, so that they can count them.
    let judgement = ask_policies(&parts.policies, trial, proposal, &outline, context, events);
    let verdict = &judgement.verdict;
    if verdict.action.severity() >= Action::RejectCandidate.severity() {
        let reason =
            format!("policy `{}` ({}): {}", judgement.policy, verdict.code, verdict.reason);
        let result = settled(Outcome::Refused, Some(&outline), reason);
        return (Admission::Settled(Box::new(result)), Some(judgement));
    }
    let key = match reuse_results {
        true => Key::of_network(outline.canonical, &fidelity),
        false => Key::of_genotype(&proposal.genotype, &fidelity),
    };
    let continues = proposal.details.continue_from.is_some();
    let admission = match archive.find(&key).filter(|_| !continues) {
        Some(Met::Known(first, result)) => Admission::Settled(Box::new(repeated(*first, result))),
        Some(Met::Pending(first)) => {
            Admission::Follows(*first, Box::new(Admitted { key, outline, fidelity }))
        }
        None => Admission::Admitted(Box::new(Admitted { key, outline, fidelity })),
    };
    (admission, None)
}

/// Checks what can be checked without any policy.
fn look(space: &NetworkSpace, proposal: &Proposal, fidelity: &Fidelity) -> Result<Outline, String> {
    space.space().check(&proposal.genotype).map_err(|error| error.to_string())?;
    let fraction = fidelity.data_fraction;
    if fidelity.epochs == 0 || !(fraction > 0.0 && fraction <= 1.0) {
        return Err(format!(
            "a fidelity needs at least 1 epoch and a data fraction above 0 and at most 1, not {} \
             and {fraction}",
            fidelity.epochs
        ));
    }
    space.outline(&proposal.genotype).map_err(|error| error.to_string())
}

fn ask_policies(
    policies: &[Policy],
    trial: TrialId,
    proposal: &Proposal,
    outline: &Outline,
    context: &PolicyContext,
    events: &mut Vec<Event>,
) -> Judgement {
    let candidate = match policies.is_empty() {
        true => Candidate::default(),
        false => Candidate {
            trial,
            genotype: proposal.genotype.clone(),
            cost: outline.cost,
            operations: outline.operations.clone(),
        },
    };
    judge(policies, &Question::Candidate(candidate), Some(trial), context, events)
}

fn settled(outcome: Outcome, outline: Option<&Outline>, reason: String) -> TrialResult {
    TrialResult {
        outcome,
        objectives: Vec::new(),
        measurements: Default::default(),
        cost: outline.map(|outline| outline.cost).unwrap_or_default(),
        canonical: outline.map(|outline| outline.canonical.to_string()).unwrap_or_default(),
        duplicate_of: None,
        reason: Some(reason),
    }
}
