//! What the policies say of an epoch, and what follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nas_plugin_api::verdict::{
    Action, PolicyContext, Progress, Question, Spending, Verdict, evidence,
};

use crate::journal::{Approval, Event, SearchEndReason, SearchHistory, StopReason};
use crate::protocol::one_shot::OneShotEpoch;
use crate::search::{Judgement, Policy, judge};

/// How often a search may go back; a policy that wants more makes no progress.
const MAX_ROLL_BACKS: u32 = 100;

/// What follows from an epoch.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// The next epoch.
    GoOn,
    /// The epoch after this one, with this much more weight decay than at the start.
    RollBack { policy: String, epoch: u32, weight_decay_factor: f64 },
    /// The search is over, and the genotype of this epoch is its answer.
    End { epoch: u32, why: SearchEndReason },
    /// The run stops here.
    Stop(StopReason),
}

/// Asks the policies about one epoch after the other: live, in replay, and in hindsight.
pub(crate) struct EpochJudge {
    budget: BTreeMap<String, f64>,
    best_so_far: Option<f64>,
    approvals: Vec<Approval>,
}

impl EpochJudge {
    /// Before the first epoch of a search that may spend this.
    pub(crate) fn new(budget: BTreeMap<String, f64>) -> Self {
        Self { budget, best_so_far: None, approvals: Vec::new() }
    }

    /// The search may spend this from here on.
    pub(crate) fn set_budget(&mut self, budget: BTreeMap<String, f64>) {
        self.budget = budget;
    }

    /// A person approved this.
    pub(crate) fn approve(&mut self, approval: &Approval) {
        self.approvals.push(approval.clone());
    }

    /// Asks the policies about an epoch. They see how the search stood when it ended, so that a
    /// replay shows them the same.
    pub(crate) fn judge(
        &mut self,
        policies: &[Policy],
        epoch: &OneShotEpoch,
        spent: Spending,
    ) -> Judgement {
        let accuracy = accuracy(epoch);
        let best_so_far = self.best_so_far.map_or(accuracy, |best| best.max(accuracy));
        self.best_so_far = Some(best_so_far);
        let progress = Progress {
            unit: "epoch".to_owned(),
            completed: epoch.checkpoint.epoch.saturating_add(1),
            best: accuracy,
            best_so_far,
            mean: accuracy,
            signals: epoch.signals.clone(),
        };
        let mut context = PolicyContext {
            elapsed_seconds: spent.wall_seconds,
            spent,
            budget: self.budget.clone(),
            ..PolicyContext::default()
        };
        self.approvals.iter().for_each(|approval| approval.note(&mut context));
        let judged = judge(policies, Question::Progress(progress), &Arc::new(context));
        judged.map(|judgement| *judgement).unwrap_or_default()
    }
}

/// The score that policies follow: minus infinity where an epoch has none.
fn accuracy(epoch: &OneShotEpoch) -> f64 {
    epoch.validation_accuracy.filter(|value| value.is_finite()).unwrap_or(f64::NEG_INFINITY)
}

/// What follows from a verdict on the last epoch. A roll-back that can't be done stops the run: a
/// policy must not be passed over.
pub(super) fn decide(judgement: &Judgement, history: &SearchHistory) -> Decision {
    let Judgement { policy, verdict, .. } = judgement;
    let Verdict { action, code, reason, .. } = verdict;
    let why = || SearchEndReason::Policy {
        policy: policy.clone(),
        code: code.clone(),
        message: reason.clone(),
    };
    let halt = |reason: String| {
        let (policy, code) = (policy.clone(), code.clone());
        Decision::Stop(StopReason::PolicyHalt { policy, code, reason })
    };
    let last = history.last().map_or(0, |last| last.checkpoint.epoch);
    match action {
        // What was looked for is found: the search has its answer.
        Action::HaltRun if code == "converged" => Decision::End { epoch: last, why: why() },
        Action::HaltRun => halt(reason.clone()),
        Action::PauseForApproval { threshold, .. } => {
            let (policy, threshold) = (policy.clone(), threshold.clone());
            let reason = reason.clone();
            Decision::Stop(StopReason::AwaitingApproval { policy, threshold, reason })
        }
        Action::StopTrial => Decision::End { epoch: last, why: why() },
        Action::RollBack { epoch } if history.epoch(*epoch).is_none() => halt(format!(
            "{reason}; but there is no epoch {epoch} to go back to, the last one is {last}"
        )),
        Action::RollBack { epoch } => match verdict.evidence.get(evidence::WEIGHT_DECAY_FACTOR) {
            None => Decision::End { epoch: *epoch, why: why() },
            Some(factor) if !(factor.is_finite() && *factor > 0.0) => {
                halt(format!("{reason}; but {factor} can't be a factor of the weight decay"))
            }
            Some(_) if history.round() >= MAX_ROLL_BACKS => {
                halt(format!("{reason}; but it went back {MAX_ROLL_BACKS} times already"))
            }
            Some(factor) => Decision::RollBack {
                policy: policy.clone(),
                epoch: *epoch,
                weight_decay_factor: history.weight_decay_factor * factor,
            },
        },
        _ => Decision::GoOn,
    }
}

/// The events of a verdict and what follows from it, written down together.
pub(super) fn events(judgement: &mut Judgement, decision: &Decision) -> Vec<Event> {
    let mut events = std::mem::take(&mut judgement.objections);
    if let Decision::RollBack { policy, epoch, weight_decay_factor } = decision {
        events.push(Event::SearchRolledBack {
            policy: policy.clone(),
            epoch: *epoch,
            weight_decay_factor: *weight_decay_factor,
        });
    }
    events
}
