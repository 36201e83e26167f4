//! The gate: what happens to proposals before anything is built for them.

use std::sync::Arc;

use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{Candidate, PolicyContext, Question, QuestionKind};

use super::Parts;
use super::archive::{Archive, Key, Met, repeated};
use super::checkpoints::Checkpoints;
use super::policies::{Judged, anybody_answers, judge_all};
use crate::journal::TrialResult;
use crate::network::{Outline, Outliner};

/// What becomes of a proposal.
pub(super) enum Admission {
    /// It is to be evaluated.
    Admitted(Box<Admitted>),
    /// The same network is being evaluated as this trial.
    Follows(TrialId, Box<Admitted>),
    /// It ended here.
    Settled(TrialResult),
}

/// A proposal that may be evaluated.
pub(super) struct Admitted {
    pub(super) key: Key,
    pub(super) outline: Outline,
    pub(super) fidelity: Fidelity,
}

/// A proposal that was looked at.
pub(super) struct Seen {
    fidelity: Fidelity,
    /// Its network, or what is wrong with it.
    outline: Result<Outline, String>,
    /// What the policies say; one that is not valid they do not see.
    pub(super) judgement: Judged,
}

/// Looks at all proposals of an answer: are they of the space, what do they cost, does a policy
/// object? Policies see every valid candidate, duplicates too, so that they can count them.
pub(super) fn look(
    parts: &Parts,
    first: TrialId,
    proposals: &[Proposal],
    context: &Arc<PolicyContext>,
    outliner: &mut Outliner,
) -> Vec<Seen> {
    let mut seen: Vec<Seen> = proposals
        .iter()
        .map(|proposal| {
            let fidelity = proposal.details.fidelity.unwrap_or(parts.fidelity);
            let outline = outline(parts, proposal, &fidelity, outliner);
            Seen { fidelity, outline, judgement: None }
        })
        .collect();
    if anybody_answers(&parts.policies, QuestionKind::Candidate) {
        let candidates = (first..).zip(proposals).zip(&seen).filter_map(|((trial, p), seen)| {
            let outline = seen.outline.as_ref().ok()?;
            Some(Question::Candidate(candidate(trial, p, outline)))
        });
        let judgements = judge_all(&parts.policies, candidates.collect(), context);
        let valid = seen.iter_mut().filter(|seen| seen.outline.is_ok());
        valid.zip(judgements).for_each(|(seen, judgement)| seen.judgement = judgement);
    }
    seen
}

/// A network as policies see it.
pub(super) fn candidate(trial: TrialId, proposal: &Proposal, outline: &Outline) -> Candidate {
    Candidate {
        trial,
        genotype: proposal.genotype.clone(),
        cost: outline.cost,
        operations: outline.operations.clone(),
        parents: proposal.details.parents.clone(),
    }
}

/// What becomes of a proposal that was looked at: was it met before, is it refused? `checkpoints` are
/// what it may go on from; absent where nothing is trained.
pub(super) fn admit(
    seen: Seen,
    archive: &Archive,
    reuse_results: bool,
    checkpoints: Option<&Checkpoints>,
    proposal: &Proposal,
) -> Admission {
    let Seen { fidelity, outline, judgement } = seen;
    let outline = match outline {
        Ok(outline) => outline,
        Err(reason) => return Admission::Settled(settled(Outcome::Invalid, None, reason)),
    };
    if let Some(judgement) = judgement.filter(|judgement| judgement.rejects()) {
        let reason = judgement.reason();
        return Admission::Settled(settled(Outcome::Refused, Some(&outline), reason));
    }
    let key = match reuse_results {
        true => Key::of_network(outline.canonical, &fidelity),
        false => Key::of_genotype(&proposal.genotype, &fidelity),
    };
    match archive.find(&key) {
        Some(Met::Known(first, result)) => Admission::Settled(repeated(*first, result)),
        Some(Met::Pending(first)) => {
            Admission::Follows(*first, Box::new(Admitted { key, outline, fidelity }))
        }
        None => match checkpoints.and_then(|kept| kept.refusal(proposal, outline.canonical)) {
            Some(reason) => Admission::Settled(settled(Outcome::Invalid, Some(&outline), reason)),
            None => Admission::Admitted(Box::new(Admitted { key, outline, fidelity })),
        },
    }
}

/// Checks what can be checked without any policy.
fn outline(
    parts: &Parts,
    proposal: &Proposal,
    fidelity: &Fidelity,
    outliner: &mut Outliner,
) -> Result<Outline, String> {
    let Parts { space, proxies, .. } = parts;
    space.space().check(&proposal.genotype).map_err(|error| error.to_string())?;
    if fidelity.is_untrained() && proxies.is_empty() {
        return Err(
            "a fidelity needs at least 1 epoch: this run measures no untrained networks".to_owned()
        );
    }
    let fraction = fidelity.data_fraction;
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(format!(
            "a fidelity needs a data fraction above 0 and at most 1, not {fraction}"
        ));
    }
    outliner.outline(space, &proposal.genotype).map_err(|error| error.to_string())
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
