//! From observations to results: fitness, then review by the policies.

use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{Action, Candidate, PolicyContext, Question, Review};

use super::policies::{Judgement, judge};
use super::{Parts, SearchError};
use crate::executor::Ended;
use crate::journal::{Event, TrialResult};
use crate::network::Outline;

/// What an attempt's end is worth.
///
/// # Errors
/// Only a fitness function that fails.
pub(super) fn score(
    parts: &Parts,
    ended: Ended,
    outline: &Outline,
) -> Result<TrialResult, SearchError> {
    let result = |outcome, objectives, measurements, reason| TrialResult {
        outcome,
        objectives,
        measurements,
        cost: outline.cost,
        canonical: outline.canonical.to_string(),
        duplicate_of: None,
        reason,
    };
    let failed = |outcome, reason| Ok(result(outcome, Vec::new(), Measurements::default(), reason));
    let outcome = ended.outcome();
    let measurements = match ended {
        Ended::Finished(measurements) => measurements,
        Ended::Failed { message, .. } => return failed(outcome, Some(message)),
    };
    let missing = parts.fitness_needs.iter().find(|name| measurements.get(name).is_none());
    if let Some(name) = missing {
        let reason = format!("the fitness function needs `{name}`, which was not measured");
        return failed(Outcome::Failed, Some(reason));
    }
    let cost = outline.cost;
    let (measurements, objectives) = parts.call_fitness("score", move |fitness| {
        let objectives = fitness.score(&measurements, &cost)?;
        Ok((measurements, objectives))
    })?;
    let n_objectives = parts.objectives.len();
    if objectives.len() != n_objectives {
        let found = objectives.len();
        let reason =
            format!("the fitness function gave {found} values for {n_objectives} objectives");
        return failed(Outcome::Failed, Some(reason));
    }
    if let Some(place) = objectives.iter().position(|value| !value.is_finite()) {
        let (name, value) = (&parts.objectives[place].name, objectives[place]);
        return failed(
            Outcome::Diverged,
            Some(format!("the fitness function gave {value} for `{name}`")),
        );
    }
    Ok(result(Outcome::Finished, objectives, measurements, None))
}

/// Lets the policies look at a result; a rejected one becomes `Refused`.
pub(super) fn review(
    parts: &Parts,
    trial: TrialId,
    proposal: &Proposal,
    outline: &Outline,
    result: &mut TrialResult,
    context: &PolicyContext,
    events: &mut Vec<Event>,
) -> Option<Judgement> {
    if parts.policies.is_empty() {
        return None;
    }
    let question = Question::Review(review_of(trial, proposal, outline, result));
    let judgement = judge(&parts.policies, &question, Some(trial), context, events);
    let verdict = &judgement.verdict;
    let rejects = verdict.action.severity() >= Action::RejectCandidate.severity();
    if rejects && result.outcome.has_result() {
        result.outcome = Outcome::Refused;
        result.objectives.clear();
        let (policy, code, reason) = (&judgement.policy, &verdict.code, &verdict.reason);
        result.reason = Some(format!("policy `{policy}` ({code}): {reason}"));
    }
    Some(judgement)
}

/// A result as policies see it.
pub(super) fn review_of(
    trial: TrialId,
    proposal: &Proposal,
    outline: &Outline,
    result: &TrialResult,
) -> Review {
    Review {
        candidate: Candidate {
            trial,
            genotype: proposal.genotype.clone(),
            cost: outline.cost,
            operations: outline.operations.clone(),
        },
        outcome: result.outcome,
        measurements: result.measurements.clone(),
        objectives: result.objectives.clone(),
    }
}
