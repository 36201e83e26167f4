//! What is known in the middle of a search, and how each step changes it.
//!
//! The same steps run live and in replay: live, they make events; in replay, the journal says what
//! came of them ([`super::replay`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::{Outcome, Proposal, Trial, TrialId};
use nas_plugin_api::verdict::{
    Action, History, PolicyContext, Progress, Question, Spending, Verdict,
};

use super::archive::{Archive, repeated};
use super::champion::{Champion, contest, gain};
use super::checkpoints::Checkpoints;
use super::gate::{Admission, Admitted, admit, look};
use super::holdout::HoldoutStanding;
use super::policies::{Judged, Judgement, judge};
use super::progress::ProgressTracker;
use super::score::{self, Evaluated};
use super::{Parts, SearchError};
use crate::executor::Ended;
use crate::journal::{Answer, Approval, Event, StopReason, TrialResult};
use crate::network::Outliner;
use crate::settings::Settings;

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
    pub(super) holdout: HoldoutStanding,
    /// What policies are told besides the question: how things stood at the last ask, so that
    /// replay shows them the same.
    context: Arc<PolicyContext>,
    outliner: Outliner,
    archive: Archive,
    pub(super) checkpoints: Checkpoints,
    progress: ProgressTracker,
    history: History,
    duplicates_in_a_row: u32,
    refusals_in_a_row: u32,
    rules: Rules,
}

/// When a search gives up, and what counts as known.
#[derive(Clone, Copy, Debug)]
struct Rules {
    reuse_results: bool,
    /// Networks are trained, so that a training can go on.
    trains: bool,
    max_duplicates: u32,
    max_refusals: u32,
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
    Ended(Arc<TrialResult>),
}

impl Open {
    fn new(proposal: &Proposal, stage: Stage, admitted: Option<Box<Admitted>>) -> Self {
        Self { proposal: proposal.clone(), attempt: 0, stage, admitted, observed: Vec::new() }
    }

    fn evaluated(&self, trial: TrialId) -> Option<Evaluated<'_>> {
        let Self { proposal, admitted, .. } = self;
        admitted.as_ref().map(|admitted| Evaluated { trial, proposal, outline: &admitted.outline })
    }
}

impl State {
    /// The state of a search with these settings before it begins.
    pub(super) fn of(settings: &Settings) -> Self {
        let execution = &settings.execution;
        let rules = Rules {
            reuse_results: execution.reuse_results,
            trains: settings.benchmark.is_none() && settings.inherit.is_none(),
            max_duplicates: execution.max_duplicates,
            max_refusals: execution.max_refusals,
        };
        Self::new(rules, settings.budget.caps())
    }

    fn new(rules: Rules, budget: BTreeMap<String, f64>) -> Self {
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
            holdout: HoldoutStanding::default(),
            context: Arc::new(PolicyContext { budget, ..PolicyContext::default() }),
            outliner: Outliner::default(),
            archive: Archive::default(),
            checkpoints: Checkpoints::default(),
            progress: ProgressTracker::default(),
            history: History::default(),
            duplicates_in_a_row: 0,
            refusals_in_a_row: 0,
            rules,
        }
    }

    /// The strategy answered, when so much was spent: every proposal goes through the gate.
    ///
    /// In replay, `recorded` has the trials that were settled at the gate at the time; it decides
    /// in place of policies that may have become stricter since.
    pub(super) fn asked(
        &mut self,
        parts: &Parts,
        answer: &Answer,
        spent: Spending,
        recorded: Option<&HashMap<TrialId, Arc<TrialResult>>>,
        events: &mut Vec<Event>,
    ) {
        self.note_context(spent);
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
        let first = self.next_trial;
        self.next_trial += proposals.len() as u64;
        self.history.proposed += proposals.len() as u64;
        let seen = look(parts, first, proposals, &self.context, &mut self.outliner);
        for ((trial, proposal), mut seen) in (first..).zip(proposals).zip(seen) {
            if let Some(judgement) = &mut seen.judgement {
                events.append(&mut judgement.objections);
                if recorded.is_none() {
                    self.obey(judgement);
                }
            }
            let admission = match recorded.and_then(|recorded| recorded.get(&trial)) {
                Some(result) => {
                    self.open.insert(trial, Open::new(proposal, Stage::Queued, None));
                    self.settle(trial, Arc::clone(result), events);
                    continue;
                }
                None => {
                    let checkpoints = self.rules.trains.then_some(&self.checkpoints);
                    admit(seen, &self.archive, self.rules.reuse_results, checkpoints, proposal)
                }
            };
            self.place(trial, proposal, admission, events);
        }
    }

    /// What the search may spend, as policies are told.
    pub(super) fn budget(&self) -> &BTreeMap<String, f64> {
        &self.context.budget
    }

    /// The search may spend this from here on.
    pub(super) fn set_budget(&mut self, budget: BTreeMap<String, f64>) {
        Arc::make_mut(&mut self.context).budget = budget;
    }

    /// A person approved this.
    pub(super) fn approve(&mut self, approval: &Approval) {
        approval.note(Arc::make_mut(&mut self.context));
    }

    /// Something happened with the holdout; what was read there policies see from now on.
    pub(super) fn apply_holdout(&mut self, event: &Event) {
        self.holdout.apply(event);
        if let Event::Audited { reading: Some(reading), .. } = event
            && !self.context.holdout.contains(reading)
        {
            Arc::make_mut(&mut self.context).holdout.push(reading.clone());
        }
    }

    fn note_context(&mut self, spent: Spending) {
        // In place, unless a policy that did not answer in time still has it.
        let context = Arc::make_mut(&mut self.context);
        context.elapsed_seconds = spent.wall_seconds;
        context.spent = spent;
        context.history.clone_from(&self.history);
    }

    fn place(
        &mut self,
        trial: TrialId,
        proposal: &Proposal,
        admission: Admission,
        events: &mut Vec<Event>,
    ) {
        match admission {
            Admission::Settled(result) => {
                self.open.insert(trial, Open::new(proposal, Stage::Queued, None));
                self.settle(trial, Arc::new(result), events);
            }
            Admission::Admitted(admitted) => {
                self.archive.begin(admitted.key, trial);
                self.open.insert(trial, Open::new(proposal, Stage::Queued, Some(admitted)));
                self.queue.push_back(trial);
            }
            Admission::Follows(first, admitted) => {
                self.archive.follow(first, trial);
                self.open.insert(trial, Open::new(proposal, Stage::Following, Some(admitted)));
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

    /// A trial that is about to end kept a checkpoint.
    pub(super) fn kept_checkpoint(&mut self, trial: TrialId, sha256: &str) {
        let admitted = self.open.get(&trial).and_then(|open| open.admitted.as_ref());
        if let Some(admitted) = admitted {
            self.checkpoints.keep(trial, sha256, admitted.outline.canonical);
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

    /// What the ends of admitted trials are worth, and what the policies say of them.
    ///
    /// # Errors
    /// Only a fitness function that fails.
    pub(super) fn judge_ends(
        &self,
        parts: &Parts,
        ends: Vec<(TrialId, Ended)>,
    ) -> Result<(Vec<TrialResult>, Vec<Judged>), SearchError> {
        let ends: Vec<(Evaluated<'_>, Ended)> = ends
            .into_iter()
            .filter_map(|(trial, ended)| Some((self.open.get(&trial)?.evaluated(trial)?, ended)))
            .collect();
        let evaluated: Vec<Evaluated<'_>> = ends.iter().map(|(evaluated, _)| *evaluated).collect();
        let mut results = score::score(parts, ends)?;
        let judgements = score::review(parts, &evaluated, &mut results, &self.context);
        Ok((results, judgements))
    }

    /// In replay: lets the policies see what they saw, without obeying them again.
    pub(super) fn review_again(
        &self,
        parts: &Parts,
        trial: TrialId,
        result: &TrialResult,
    ) -> Judged {
        let evaluated = self.open.get(&trial).and_then(|open| open.evaluated(trial))?;
        score::review(parts, &[evaluated], &mut [result.clone()], &self.context).pop().flatten()
    }

    /// A dispatched trial ended; trials of the same network that waited for it end with it.
    /// Returns the trial whose weights are no longer the best.
    pub(super) fn ended(
        &mut self,
        parts: &Parts,
        trial: TrialId,
        result: Arc<TrialResult>,
        events: &mut Vec<Event>,
    ) -> Option<TrialId> {
        let open = self.open.get_mut(&trial)?;
        if matches!(open.stage, Stage::Running) {
            self.n_running -= 1;
        }
        let key = open.admitted.as_ref().map(|admitted| admitted.key);
        if result.outcome.has_result() {
            self.checkpoints.continued(&open.proposal);
        }
        let beaten = contest(&mut self.champion, trial, &open.proposal, &result, &parts.objectives);
        let is_champion = self.champion.as_ref().is_some_and(|best| best.trial == trial);
        self.count(&result, parts);
        let followers = key.map_or_else(Vec::new, |key| self.archive.end(key, trial, &result));
        for follower in followers {
            self.settle(follower, Arc::new(repeated(trial, &result)), events);
        }
        self.finish(trial, result);
        if is_champion { beaten } else { Some(trial) }
    }

    /// A trial ends without having been dispatched.
    fn settle(&mut self, trial: TrialId, result: Arc<TrialResult>, events: &mut Vec<Event>) {
        if let Some(first) = result.duplicate_of {
            self.checkpoints.share(trial, first);
        }
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
        events.push(Event::Settled { trial, result: Arc::clone(&result) });
        self.finish(trial, result);
    }

    fn count(&mut self, result: &TrialResult, parts: &Parts) {
        self.duplicates_in_a_row = 0;
        self.refusals_in_a_row = 0;
        *self.history.outcomes.entry(result.outcome.name().to_owned()).or_default() += 1;
        self.holdout.n_results += u64::from(result.outcome == Outcome::Finished);
        if let Some(gain) = gain(&parts.objectives, result) {
            self.history.best = Some(self.history.best.map_or(gain, |best| best.max(gain)));
        }
    }

    fn finish(&mut self, trial: TrialId, result: Arc<TrialResult>) {
        if let Some(open) = self.open.get_mut(&trial) {
            open.stage = Stage::Ended(result);
            self.ended.push_back(trial);
        }
    }

    /// These trials are over; what their strategy is to be told.
    pub(super) fn told(
        &mut self,
        parts: &Parts,
        ids: &[TrialId],
        events: &mut Vec<Event>,
    ) -> Vec<Trial> {
        let mut trials = Vec::with_capacity(ids.len());
        for &id in ids {
            let Some(Open { proposal, stage: Stage::Ended(result), .. }) = self.open.remove(&id)
            else {
                continue;
            };
            if self.ended.front() == Some(&id) {
                self.ended.pop_front();
            } else {
                self.ended.retain(|&ended| ended != id);
            }
            self.n_told += 1;
            if result.outcome != Outcome::Untrained {
                let progress = self.progress.told(gain(&parts.objectives, &result));
                self.look_at_progress(parts, progress, events);
            }
            trials.push(Trial {
                id,
                proposal,
                outcome: result.outcome,
                objectives: result.objectives.clone(),
                measurements: result.measurements.clone(),
                cost: result.cost,
                reason: result.reason.clone(),
            });
        }
        trials
    }

    /// The best trial, if the policies accept it as the search's answer.
    pub(super) fn crown(&mut self, parts: &Parts, events: &mut Vec<Event>) -> Option<Champion> {
        let champion = self.champion.take()?;
        let Champion { trial, proposal, result, .. } = &champion;
        let outline = parts.space.outline(&proposal.genotype).ok()?;
        let evaluated = Evaluated { trial: *trial, proposal, outline: &outline };
        let question = Question::Champion(score::review_of(evaluated, result));
        let Some(mut judgement) = judge(&parts.policies, question, &self.context) else {
            return Some(champion);
        };
        events.append(&mut judgement.objections);
        (!judgement.rejects()).then_some(champion)
    }

    fn look_at_progress(
        &mut self,
        parts: &Parts,
        progress: Option<Progress>,
        events: &mut Vec<Event>,
    ) {
        let Some(progress) = progress else { return };
        let question = Question::Progress(progress);
        if let Some(mut judgement) = judge(&parts.policies, question, &self.context) {
            events.append(&mut judgement.objections);
            self.obey(&judgement);
        }
    }

    /// Stops the search if a verdict says so.
    pub(super) fn obey(&mut self, judgement: &Judgement) {
        let Judgement { policy, verdict: Verdict { action, code, reason, .. }, .. } = judgement;
        let (policy, code, reason) = (policy.clone(), code.clone(), reason.clone());
        match action {
            Action::HaltRun | Action::RollBack { .. } => {
                self.stop_for(StopReason::PolicyHalt { policy, code, reason });
            }
            Action::PauseForApproval { threshold, .. } => {
                let threshold = threshold.clone();
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
