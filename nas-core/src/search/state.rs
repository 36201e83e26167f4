//! What is known in the middle of a search, and how each step changes it.
//!
//! The same steps run live and in replay: live, they make events; in replay, the journal says what
//! came of them ([`super::replay`]).

use std::collections::{BTreeMap, HashMap, VecDeque};

use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::{Outcome, Proposal, Trial, TrialId};
use nas_plugin_api::verdict::{
    Action, History, PolicyContext, Progress, Question, Spending, Verdict,
};

use super::archive::{Archive, repeated};
use super::champion::{Champion, contest, gain};
use super::gate::{Admission, Admitted, admit};
use super::policies::{Judgement, judge};
use super::progress::ProgressTracker;
use super::{Parts, SearchError, score};
use crate::executor::Ended;
use crate::journal::{Answer, Event, StopReason, TrialResult};

/// The state of a search.
pub(super) struct State {
    pub(super) next_trial: TrialId,
    /// Trials that were asked and not told yet.
    pub(super) open: BTreeMap<TrialId, Open>,
    /// Trials that are to be dispatched, in order.
    pub(super) queue: VecDeque<TrialId>,
    /// Trials that ended and are to be told, in the order in which they ended.
    pub(super) ended: VecDeque<TrialId>,
    pub(super) n_told: u64,
    pub(super) n_running: usize,
    pub(super) champion: Option<Champion>,
    /// The strategy said that it is done.
    pub(super) done: Option<String>,
    /// Why the search is to stop.
    pub(super) stop: Option<StopReason>,
    /// What the policies know had been spent: as of the last ask, so that replay shows the same.
    pub(super) spent: Spending,
    archive: Archive,
    progress: ProgressTracker,
    history: History,
    budget: BTreeMap<String, f64>,
    duplicates_in_a_row: u32,
    refusals_in_a_row: u32,
    rules: Rules,
}

/// When a search gives up, and what counts as known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) reuse_results: bool,
    pub(super) max_duplicates: u32,
    pub(super) max_refusals: u32,
}

/// A trial that was asked and not told yet.
pub(super) struct Open {
    pub(super) proposal: Proposal,
    pub(super) attempt: u32,
    pub(super) stage: Stage,
    pub(super) admitted: Option<Box<Admitted>>,
    /// What earlier evaluations showed, of a trial that is evaluated several times.
    pub(super) observed: Vec<Measurements>,
}

/// How far an open trial is.
pub(super) enum Stage {
    /// It is to be dispatched.
    Queued,
    /// A worker has it.
    Running,
    /// The same network is being evaluated as another trial.
    Following,
    /// It ended, and its strategy is to be told.
    Ended(Box<TrialResult>),
}

impl State {
    pub(super) fn new(rules: Rules, budget: BTreeMap<String, f64>) -> Self {
        Self {
            next_trial: 0,
            open: BTreeMap::new(),
            queue: VecDeque::new(),
            ended: VecDeque::new(),
            n_told: 0,
            n_running: 0,
            champion: None,
            done: None,
            stop: None,
            spent: Spending::default(),
            archive: Archive::default(),
            progress: ProgressTracker::default(),
            history: History::default(),
            budget,
            duplicates_in_a_row: 0,
            refusals_in_a_row: 0,
            rules,
        }
    }

    /// What policies are told besides the question.
    pub(super) fn context(&self) -> PolicyContext {
        PolicyContext {
            elapsed_seconds: self.spent.wall_seconds,
            spent: self.spent,
            budget: self.budget.clone(),
            approvals: Vec::new(),
            history: self.history.clone(),
        }
    }

    /// The strategy answered: every proposal goes through the gate.
    ///
    /// In replay, `recorded` has the trials that were settled at the gate at the time; it decides
    /// in place of policies that may have become stricter since.
    pub(super) fn asked(
        &mut self,
        parts: &Parts,
        answer: &Answer,
        recorded: Option<&HashMap<TrialId, TrialResult>>,
        events: &mut Vec<Event>,
    ) {
        let proposals = match answer {
            Answer::Wait => return,
            Answer::Done { reason } => {
                self.done = Some(reason.clone());
                let progress = self.progress.finish();
                return self.look_at_progress(parts, progress, events);
            }
            Answer::Proposals { proposals, .. } => proposals,
        };
        let newest = proposals.iter().filter_map(|p| p.details.generation).max();
        let progress = self.progress.proposed(newest);
        self.look_at_progress(parts, progress, events);
        for proposal in proposals {
            let trial = self.next_trial;
            self.next_trial += 1;
            self.history.proposed += 1;
            let context =
                if parts.policies.is_empty() { PolicyContext::default() } else { self.context() };
            let reuse = self.rules.reuse_results;
            let (mut admission, judgement) =
                admit(parts, &self.archive, reuse, trial, proposal, &context, events);
            match recorded {
                Some(recorded) => {
                    if let Some(result) = recorded.get(&trial) {
                        admission = Admission::Settled(Box::new(result.clone()));
                    }
                }
                None => self.obey(judgement),
            }
            self.place(trial, proposal, admission, events);
        }
    }

    fn place(
        &mut self,
        trial: TrialId,
        proposal: &Proposal,
        admission: Admission,
        events: &mut Vec<Event>,
    ) {
        let open = |stage, admitted| Open {
            proposal: proposal.clone(),
            attempt: 0,
            stage,
            admitted,
            observed: Vec::new(),
        };
        match admission {
            Admission::Settled(result) => {
                self.open.insert(trial, open(Stage::Queued, None));
                self.settle(trial, *result, events);
            }
            Admission::Admitted(admitted) => {
                self.archive.begin(admitted.key, trial);
                self.open.insert(trial, open(Stage::Queued, Some(admitted)));
                self.queue.push_back(trial);
            }
            Admission::Follows(first, admitted) => {
                self.archive.follow(first, trial);
                self.open.insert(trial, open(Stage::Following, Some(admitted)));
            }
        }
    }

    /// A trial was given to a worker.
    pub(super) fn dispatched(&mut self, trial: TrialId, attempt: u32) {
        if let Some(open) = self.open.get_mut(&trial) {
            open.stage = Stage::Running;
            open.attempt = attempt;
            self.n_running += 1;
        }
        self.queue.retain(|&queued| queued != trial);
    }

    /// An attempt was cut off: the trial is to be dispatched again.
    pub(super) fn abandoned(&mut self, trial: TrialId) {
        if let Some(open) = self.open.get_mut(&trial)
            && matches!(open.stage, Stage::Running)
        {
            open.stage = Stage::Queued;
            open.attempt += 1;
            self.n_running -= 1;
            self.queue.push_front(trial);
        }
    }

    /// Whether a trial that was just evaluated is to be evaluated again, with another seed.
    pub(super) fn wants_repeat(&self, trial: TrialId) -> bool {
        self.open.get(&trial).is_some_and(|open| {
            open.observed.len() + 1 < open.proposal.details.repeats.max(1) as usize
        })
    }

    /// One of several evaluations of a trial ended: it is to be dispatched again.
    pub(super) fn repeated(&mut self, trial: TrialId, measurements: Measurements) {
        if let Some(open) = self.open.get_mut(&trial) {
            open.observed.push(measurements);
        }
        self.abandoned(trial);
    }

    /// The mean of all evaluations of a trial, the last one included.
    pub(super) fn mean(&self, trial: TrialId, last: Measurements) -> Measurements {
        let earlier = self.open.get(&trial).map_or(&[][..], |open| &open.observed);
        let n = (earlier.len() + 1) as f64;
        let mean = |(name, value): (String, f64)| {
            let sum: f64 = earlier.iter().filter_map(|observed| observed.get(&name)).sum();
            (name, (sum + value) / n)
        };
        Measurements(last.0.into_iter().map(mean).collect())
    }

    /// What an attempt's end is worth.
    ///
    /// # Errors
    /// Only a fitness function that fails.
    pub(super) fn judge_end(
        &mut self,
        parts: &Parts,
        trial: TrialId,
        ended: Ended,
        events: &mut Vec<Event>,
    ) -> Result<Option<TrialResult>, SearchError> {
        let context = self.context();
        let Some(Open { proposal, admitted: Some(admitted), .. }) = self.open.get(&trial) else {
            return Ok(None);
        };
        let mut result = score::score(parts, ended, &admitted.outline)?;
        let judgement =
            score::review(parts, trial, proposal, &admitted.outline, &mut result, &context, events);
        self.obey(judgement);
        Ok(Some(result))
    }

    /// In replay: lets the policies see what they saw, without obeying them again.
    pub(super) fn review_again(
        &mut self,
        parts: &Parts,
        trial: TrialId,
        result: &TrialResult,
        events: &mut Vec<Event>,
    ) {
        let context = self.context();
        if let Some(Open { proposal, admitted: Some(admitted), .. }) = self.open.get(&trial) {
            let mut result = result.clone();
            let outline = &admitted.outline;
            score::review(parts, trial, proposal, outline, &mut result, &context, events);
        }
    }

    /// A dispatched trial ended; trials of the same network that waited for it end with it.
    /// Returns the trial whose weights are no longer the best.
    pub(super) fn ended(
        &mut self,
        parts: &Parts,
        trial: TrialId,
        result: TrialResult,
        events: &mut Vec<Event>,
    ) -> Option<TrialId> {
        let open = self.open.get_mut(&trial)?;
        if matches!(open.stage, Stage::Running) {
            self.n_running -= 1;
        }
        let key = open.admitted.as_ref().map(|admitted| admitted.key);
        let beaten = contest(&mut self.champion, trial, &open.proposal, &result, &parts.objectives);
        let is_champion = self.champion.as_ref().is_some_and(|best| best.trial == trial);
        self.count(&result, parts);
        let followers = key.map_or_else(Vec::new, |key| self.archive.end(key, trial, &result));
        for follower in followers {
            self.settle(follower, repeated(trial, &result), events);
        }
        self.finish(trial, result);
        if is_champion { beaten } else { Some(trial) }
    }

    /// A trial ends without having been dispatched.
    pub(super) fn settle(&mut self, trial: TrialId, result: TrialResult, events: &mut Vec<Event>) {
        match result.outcome {
            Outcome::Refused | Outcome::Invalid => self.refusals_in_a_row += 1,
            _ => self.duplicates_in_a_row += 1,
        }
        *self.history.outcomes.entry(result.outcome.name().to_owned()).or_default() += 1;
        if self.duplicates_in_a_row >= self.rules.max_duplicates {
            self.stop_for(StopReason::OnlyDuplicates { count: self.duplicates_in_a_row });
        }
        if self.refusals_in_a_row >= self.rules.max_refusals {
            self.stop_for(StopReason::OnlyRefusals { count: self.refusals_in_a_row });
        }
        events.push(Event::Settled { trial, result: result.clone() });
        self.finish(trial, result);
    }

    fn count(&mut self, result: &TrialResult, parts: &Parts) {
        self.duplicates_in_a_row = 0;
        self.refusals_in_a_row = 0;
        *self.history.outcomes.entry(result.outcome.name().to_owned()).or_default() += 1;
        if let Some(gain) = gain(&parts.objectives, result) {
            self.history.best = Some(self.history.best.map_or(gain, |best| best.max(gain)));
        }
    }

    fn finish(&mut self, trial: TrialId, result: TrialResult) {
        if let Some(open) = self.open.get_mut(&trial) {
            open.stage = Stage::Ended(Box::new(result));
            self.ended.push_back(trial);
        }
    }

    /// These trials as the strategy is to be told.
    pub(super) fn trials(&self, ids: &[TrialId]) -> Vec<Trial> {
        ids.iter()
            .filter_map(|&id| match self.open.get(&id) {
                Some(Open { proposal, stage: Stage::Ended(result), .. }) => Some(Trial {
                    id,
                    proposal: proposal.clone(),
                    outcome: result.outcome,
                    objectives: result.objectives.clone(),
                    measurements: result.measurements.clone(),
                    cost: result.cost,
                    reason: result.reason.clone(),
                }),
                _ => None,
            })
            .collect()
    }

    /// The strategy was told of these trials.
    pub(super) fn told(&mut self, parts: &Parts, ids: &[TrialId], events: &mut Vec<Event>) {
        for id in ids {
            let Some(Open { stage: Stage::Ended(result), .. }) = self.open.remove(id) else {
                continue;
            };
            if self.ended.front() == Some(id) {
                self.ended.pop_front();
            } else {
                self.ended.retain(|ended| ended != id);
            }
            self.n_told += 1;
            let progress = self.progress.told(gain(&parts.objectives, &result));
            self.look_at_progress(parts, progress, events);
        }
    }

    /// The best trial, if the policies accept it as the search's answer.
    pub(super) fn crown(&mut self, parts: &Parts, events: &mut Vec<Event>) -> Option<Champion> {
        let champion = self.champion.take()?;
        let outline = parts.space.outline(&champion.proposal.genotype).ok()?;
        let Champion { trial, proposal, result, .. } = &champion;
        let question = Question::Champion(score::review_of(*trial, proposal, &outline, result));
        let judgement = judge(&parts.policies, &question, Some(*trial), &self.context(), events);
        let accepted = judgement.verdict.action.severity() < Action::RejectCandidate.severity();
        accepted.then_some(champion)
    }

    fn look_at_progress(
        &mut self,
        parts: &Parts,
        progress: Option<Progress>,
        events: &mut Vec<Event>,
    ) {
        let Some(progress) = progress else { return };
        let question = Question::Progress(progress);
        let judgement = judge(&parts.policies, &question, None, &self.context(), events);
        self.obey(Some(judgement));
    }

    /// Stops the search if a verdict says so.
    fn obey(&mut self, judgement: Option<Judgement>) {
        let Some(Judgement { policy, verdict: Verdict { action, code, reason, .. } }) = judgement
        else {
            return;
        };
        match action {
            Action::HaltRun | Action::RollBack { .. } => {
                self.stop_for(StopReason::PolicyHalt { policy, code, reason });
            }
            Action::PauseForApproval { threshold, .. } => {
                self.stop_for(StopReason::AwaitingApproval { policy, threshold, reason });
            }
            _ => {}
        }
    }

    /// The first reason to stop stays.
    pub(super) fn stop_for(&mut self, reason: StopReason) {
        self.stop.get_or_insert(reason);
    }
}
