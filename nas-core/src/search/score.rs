//! From observations to results: fitness, then review by the policies.

use std::sync::Arc;

use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{PolicyContext, Question, QuestionKind, Review};

use super::gate::candidate;
use super::policies::{Judged, anybody_answers, judge_all};
use super::{Parts, SearchError};
use crate::executor::Ended;
use crate::journal::TrialResult;
use crate::network::Outline;

/// A trial whose attempt ended, and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Evaluated<'a> {
    pub(super) trial: TrialId,
    pub(super) proposal: &'a Proposal,
    pub(super) outline: &'a Outline,
}

/// What the ends of attempts are worth, scored with one call of the fitness function; untrained
/// networks are worth what they measured, and are not scored.
///
/// # Errors
/// Only a fitness function that fails.
pub(super) fn score(
    parts: &Parts,
    ends: Vec<(Evaluated<'_>, Ended)>,
) -> Result<Vec<TrialResult>, SearchError> {
    let mut results = Vec::with_capacity(ends.len());
    let mut measured: Vec<(Measurements, Cost)> = Vec::with_capacity(ends.len());
    for (Evaluated { outline, proposal, .. }, ended) in ends {
        let outcome = ended.outcome();
        let mut proxies = Measurements::default();
        let (outcome, reason) = match ended {
            Ended::Failed { message, .. } => (outcome, Some(message)),
            Ended::Finished(measurements) if proposal.is_untrained() => {
                proxies = measurements;
                (Outcome::Untrained, None)
            }
            Ended::Finished(measurements) => match missing(parts, &measurements) {
                Some(reason) => (Outcome::Failed, Some(reason)),
                None => {
                    measured.push((measurements, outline.cost));
                    (Outcome::Finished, None)
                }
            },
        };
        results.push(TrialResult {
            outcome,
            objectives: Vec::new(),
            measurements: proxies,
            cost: outline.cost,
            canonical: outline.canonical.to_string(),
            duplicate_of: None,
            reason,
        });
    }
    if measured.is_empty() {
        return Ok(results);
    }
    let (measured, scores) = parts.call_fitness("score", move |fitness| {
        let scores = fitness.score_many(&measured)?;
        Ok((measured, scores))
    })?;
    let mut scores = scores.into_iter().chain(std::iter::repeat_with(Vec::new));
    let mut measured = measured.into_iter().map(|(measurements, _)| measurements);
    for result in results.iter_mut().filter(|result| result.outcome == Outcome::Finished) {
        let objectives = scores.next().unwrap_or_default();
        let measurements = measured.next().unwrap_or_default();
        match unsound(parts, &objectives) {
            None => (result.objectives, result.measurements) = (objectives, measurements),
            Some((outcome, reason)) => (result.outcome, result.reason) = (outcome, Some(reason)),
        }
    }
    Ok(results)
}

/// Says which measurement the fitness function lacks.
fn missing(parts: &Parts, measurements: &Measurements) -> Option<String> {
    let name = parts.fitness_needs.iter().find(|name| measurements.get(name).is_none())?;
    Some(format!("the fitness function needs `{name}`, which was not measured"))
}

/// Says what is wrong with a score.
fn unsound(parts: &Parts, objectives: &[f64]) -> Option<(Outcome, String)> {
    let (found, n_objectives) = (objectives.len(), parts.objectives.len());
    if found != n_objectives {
        let reason =
            format!("the fitness function gave {found} values for {n_objectives} objectives");
        return Some((Outcome::Failed, reason));
    }
    let place = objectives.iter().position(|value| !value.is_finite())?;
    let (name, value) = (&parts.objectives[place].name, objectives[place]);
    Some((Outcome::Diverged, format!("the fitness function gave {value} for `{name}`")))
}

/// Lets the policies look at results; a rejected one becomes `Refused`. Untrained networks have
/// nothing that could be reviewed.
pub(super) fn review(
    parts: &Parts,
    evaluated: &[Evaluated<'_>],
    results: &mut [TrialResult],
    context: &Arc<PolicyContext>,
) -> Vec<Judged> {
    if !anybody_answers(&parts.policies, QuestionKind::Review) {
        return vec![None; results.len()];
    }
    let is_reviewed = |result: &TrialResult| result.outcome != Outcome::Untrained;
    let questions = evaluated.iter().zip(&*results).filter(|(_, result)| is_reviewed(result));
    let questions =
        questions.map(|(evaluated, result)| Question::Review(review_of(*evaluated, result)));
    let mut judged = judge_all(&parts.policies, questions.collect(), context).into_iter();
    let judgements: Vec<Judged> = results
        .iter()
        .map(|result| if is_reviewed(result) { judged.next().flatten() } else { None })
        .collect();
    for (result, judgement) in results.iter_mut().zip(&judgements) {
        if let Some(judgement) = judgement
            && judgement.rejects()
            && result.outcome.has_result()
        {
            result.outcome = Outcome::Refused;
            result.objectives.clear();
            result.reason = Some(judgement.reason());
        }
    }
    judgements
}

/// A result as policies see it.
pub(super) fn review_of(evaluated: Evaluated<'_>, result: &TrialResult) -> Review {
    let Evaluated { trial, proposal, outline } = evaluated;
    Review {
        candidate: candidate(trial, proposal, outline),
        outcome: result.outcome,
        measurements: result.measurements.clone(),
        objectives: result.objectives.clone(),
    }
}
