//! The best trial so far.

use std::sync::Arc;

use nas_plugin_api::objective::{Objective, violation};
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};

use crate::journal::TrialResult;

/// The best feasible trial of a search by its first objective; of equals, the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Champion {
    /// The trial.
    pub trial: TrialId,
    /// What was proposed.
    pub proposal: Proposal,
    /// How it ended.
    pub result: Arc<TrialResult>,
    /// Its first objective, turned so that larger is better.
    pub gain: f64,
}

/// A trial's first objective, turned so that larger is better.
pub(super) fn gain(objectives: &[Objective], result: &TrialResult) -> Option<f64> {
    let (objective, value) = (objectives.first()?, result.objectives.first()?);
    result.outcome.has_result().then(|| objective.gain(*value))
}

/// Replaces the champion if this trial is better and within the objectives' limits; returns the one
/// that it replaced.
pub(super) fn contest(
    champion: &mut Option<Champion>,
    trial: TrialId,
    proposal: &Proposal,
    result: &Arc<TrialResult>,
    objectives: &[Objective],
) -> Option<TrialId> {
    let gain = gain(objectives, result)?;
    let better = champion.as_ref().is_none_or(|old| gain > old.gain);
    let is_feasible = violation(objectives, &result.objectives) == 0.0;
    if result.outcome != Outcome::Finished || !better || !is_feasible {
        return None;
    }
    let (proposal, result) = (proposal.clone(), Arc::clone(result));
    champion.replace(Champion { trial, proposal, result, gain }).map(|old| old.trial)
}
