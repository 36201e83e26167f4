//! The first half of a one-shot run: a supernet is trained in a worker, epoch by epoch.
//!
//! Each epoch is journalled before anything follows from it. The state is what the journal says
//! ([`SearchHistory`]), so that a search that is taken up stands where it stood; a worker that dies
//! is replaced by one that goes on from the last epoch's checkpoint.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nas_plugin_api::template::Space;
use nas_plugin_api::verdict::Spending;

use super::review::{self, Decision, EpochJudge};
use super::{SupernetSettings, checkpoints, choice_paths};
use crate::budget::{KillMargin, Ledger, Reserve, SearchAllowance, TICK_SECONDS};
use crate::executor::{
    ExecutorError, POLL_INTERVAL, SearchUpdate, SearchWorker, SearchWorkerOptions,
};
use crate::journal::{Event, EventLog, Recorded, SearchEnd, SearchHistory, StopReason};
use crate::protocol::Usage;
use crate::protocol::one_shot::{OneShotEpoch, OneShotJob, Order, SearchPlan};
use crate::search::{JOURNAL_SECONDS, Observer, Policy, SearchError, StopSignal};

/// How long the supervisor waits for the worker before it looks at stop signals again.
const POLL: Duration = Duration::from_millis(50);

/// How the first half of a one-shot run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchOutcome {
    /// It is over: what it found is journalled.
    Ended(SearchEnd),
    /// The run stops here; it can be taken up.
    Stopped(StopReason),
}

/// What a one-shot search needs to know and to have.
pub struct OneShotSearch<'a> {
    /// What may object.
    pub policies: &'a [Policy],
    /// The space of what is derived.
    pub space: &'a Space,
    /// The `[supernet]` table.
    pub settings: &'a SupernetSettings,
    /// The run's seed.
    pub seed: u64,
    /// The job, but for what depends on how far the search is.
    pub job: OneShotJob,
    /// How its worker is started.
    pub worker: SearchWorkerOptions,
    /// What is spent.
    pub ledger: &'a mut Ledger,
    /// Where everything is written down.
    pub log: &'a mut dyn EventLog,
    /// Is shown what happens.
    pub observer: &'a mut dyn Observer,
    /// Whether the user wants an end.
    pub stop: StopSignal,
    pub(super) state: State,
}

/// What changes as a search goes on.
pub(super) struct State {
    pub(super) history: SearchHistory,
    epochs: EpochJudge,
    /// Wall seconds at the last event.
    last_journalled: f64,
    /// Workers that died since the last epoch's end.
    pub(super) failures: u32,
}

/// What became of one worker's part.
pub(super) enum Part {
    /// Another worker goes on.
    Again,
    Over(SearchOutcome),
}

impl<'a> OneShotSearch<'a> {
    /// A search that has not begun.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is a part of its own, given once")]
    pub fn new(
        policies: &'a [Policy],
        space: &'a Space,
        settings: &'a SupernetSettings,
        (seed, caps): (u64, BTreeMap<String, f64>),
        (job, worker): (OneShotJob, SearchWorkerOptions),
        ledger: &'a mut Ledger,
        log: &'a mut dyn EventLog,
        observer: &'a mut dyn Observer,
        stop: StopSignal,
    ) -> Self {
        let state = State {
            history: SearchHistory::default(),
            epochs: EpochJudge::new(caps),
            last_journalled: 0.0,
            failures: 0,
        };
        Self { policies, space, settings, seed, job, worker, ledger, log, observer, stop, state }
    }

    /// Repeats a journal's events: the policies see every epoch again, and what they say now of
    /// those that are decided is not obeyed. What was under way is charged.
    ///
    /// # Errors
    /// A journal that can't be written.
    pub fn replay(&mut self, journal: &[Recorded]) -> Result<(), SearchError> {
        for (place, Recorded { event, .. }) in journal.iter().enumerate() {
            self.state.history.apply(event);
            if let Event::Approval(approval) = event
                && approval.granted
            {
                self.state.epochs.approve(approval);
            }
            if let Event::SearchEpoch { epoch, spent, .. } = event {
                // The last one is judged when the search goes on, unless that was done.
                let is_last = !journal[place + 1..].iter().any(|later| is_decision(&later.event));
                if !is_last {
                    self.judge(epoch, *spent);
                }
            }
        }
        let history = &self.state.history;
        let Some(reservation) = history.open.filter(|_| history.end.is_none()) else {
            return Ok(());
        };
        // The worker died with its supervisor, at most one tick after what was charged last.
        let most = TICK_SECONDS * (self.worker.setup.threads + 1) as f64;
        let usage = Usage {
            cpu_seconds: reservation.cpu_seconds.min(most),
            gpu_seconds: reservation.gpu_seconds.min(TICK_SECONDS),
            wall_seconds: TICK_SECONDS,
            peak_memory_bytes: 0,
        };
        let was_undecided = history.is_undecided;
        self.abandon(usage, "its supervisor was cut off", Vec::new())?;
        self.state.history.is_undecided = was_undecided;
        Ok(())
    }

    /// What the events add up to.
    #[must_use]
    pub fn history(&self) -> &SearchHistory {
        &self.state.history
    }

    /// Runs until the search is over or the run has to stop. What stops it is not journalled yet,
    /// except for verdicts.
    ///
    /// # Errors
    /// A journal that can't be written.
    pub fn run(mut self) -> Result<SearchOutcome, SearchError> {
        if let Some(end) = &self.state.history.end {
            return Ok(SearchOutcome::Ended(end.clone()));
        }
        if self.state.history.is_undecided
            && let Some(outcome) = self.decide_last()?
        {
            return Ok(outcome);
        }
        loop {
            if self.stop.wants_stop() {
                return Ok(SearchOutcome::Stopped(self.stop.reason()));
            }
            let part = self.part();
            self.ledger.release_search();
            match part? {
                Part::Again => {}
                Part::Over(outcome) => return Ok(outcome),
            }
        }
    }

    /// The search was cut off after its last epoch was written down and before anything followed
    /// from it.
    fn decide_last(&mut self) -> Result<Option<SearchOutcome>, SearchError> {
        let Some(epoch) = self.state.history.last().cloned() else { return Ok(None) };
        let spent = self.ledger.spent();
        match self.judged(&epoch, spent)? {
            Decision::GoOn | Decision::RollBack { .. } => Ok(None),
            Decision::End { epoch, why } => self.end_at(epoch, why, Usage::default()).map(Some),
            Decision::Stop(reason) => Ok(Some(SearchOutcome::Stopped(reason))),
        }
    }

    /// One worker, from its start to its end.
    fn part(&mut self) -> Result<Part, SearchError> {
        let reservation = match self.ledger.reserve_search(&self.allowance())? {
            Reserve::Granted(reservation) => reservation,
            Reserve::Spent { budget } => {
                return self.out_of_budget(&budget, Usage::default()).map(Part::Over);
            }
            Reserve::Wait => {
                // Other runs hold what is left of the quota.
                std::thread::sleep(POLL);
                let spent = self.ledger.spent();
                if spent.wall_seconds - self.state.last_journalled > JOURNAL_SECONDS {
                    self.write(vec![Event::Ticked { spent }])?;
                }
                return Ok(Part::Again);
            }
        };
        let stop = self.stop.clone();
        let mut worker = match SearchWorker::start(self.worker.clone(), &|| stop.wants_stop()) {
            Ok((worker, usage)) => {
                self.ledger.overhead(&usage);
                let what = "start of the supernet's worker".to_owned();
                let attempt = self.state.history.attempts;
                let resume_from = self.state.history.last().map(|epoch| epoch.checkpoint.epoch);
                self.write(vec![
                    Event::Overhead { what, usage },
                    Event::SearchDispatched { attempt, resume_from, reservation },
                ])?;
                worker
            }
            Err(ExecutorError::Stopped) => return Ok(Part::Again),
            Err(ExecutorError::Died { message, .. }) => return Ok(self.failed(&message)),
            Err(error) => {
                let message = error.to_string();
                let reason = StopReason::WorkersFailed { message };
                return Ok(Part::Over(SearchOutcome::Stopped(reason)));
            }
        };
        let job = OneShotJob {
            resume_from: self.state.history.last().map(|epoch| epoch.checkpoint.clone()),
            weight_decay_factor: self.state.history.weight_decay_factor,
            cpu_seconds: reservation.cpu_seconds,
            memory_bytes: reservation.memory_bytes,
            ..self.job.clone()
        };
        worker.begin(job, &reservation);
        self.follow(worker)
    }

    fn follow(&mut self, mut worker: SearchWorker) -> Result<Part, SearchError> {
        let mut is_planned = false;
        loop {
            let update = worker.poll(POLL);
            if self.stop.wants_stop_now() || (self.stop.wants_stop() && self.may_end_now()) {
                if let Some(SearchUpdate::Epoch(epoch)) = update {
                    // It is in place; losing it would only cost time.
                    let _ = self.take_epoch(&mut worker, *epoch)?;
                }
                return self.interrupt(worker);
            }
            match update {
                None => self.tick(&mut worker)?,
                Some(SearchUpdate::Step(step)) => {
                    self.observer.search_step(&step);
                    self.tick(&mut worker)?;
                }
                Some(SearchUpdate::Planned(plan)) => {
                    is_planned = true;
                    if let Err(reason) = self.take_plan(plan)? {
                        return self.stop_for(worker, reason);
                    }
                }
                Some(SearchUpdate::Epoch(epoch)) => {
                    let fault = match is_planned {
                        true => self.fault(&epoch),
                        false => Some("it told of an epoch before its plan".to_owned()),
                    };
                    if let Some(fault) = fault {
                        let gone = worker.gone(Some(fault));
                        return self.lost(worker, gone);
                    }
                    let decision = self.take_epoch(&mut worker, *epoch)?;
                    match decision {
                        Decision::End { epoch, why } => {
                            let usage = self.dismiss(worker);
                            return self.end_at(epoch, why, usage).map(Part::Over);
                        }
                        Decision::Stop(reason) => return self.stop_for(worker, reason),
                        _ if self.stop.wants_stop() => return self.interrupt(worker),
                        Decision::GoOn => worker.proceed(Order::Continue),
                        Decision::RollBack { epoch, weight_decay_factor, .. } => {
                            worker.proceed(Order::RollBack { epoch, weight_decay_factor });
                        }
                    }
                }
                Some(SearchUpdate::Finished(found)) => return self.finished(worker, found),
                Some(SearchUpdate::Failed(failure)) => return self.reported(worker, failure),
                Some(gone @ SearchUpdate::Gone { .. }) => return self.lost(worker, gone),
            }
        }
    }

    /// Whether an interruption need not wait: all epochs are over, or none is under way yet.
    fn may_end_now(&self) -> bool {
        let history = &self.state.history;
        history.plan.as_ref().is_none_or(|plan| history.next_epoch() >= plan.plan.epochs)
    }

    /// Journals an epoch, and then asks what follows from it.
    fn take_epoch(
        &mut self,
        worker: &mut SearchWorker,
        epoch: OneShotEpoch,
    ) -> Result<Decision, SearchError> {
        let usage = worker.used();
        self.ledger.overhead(&usage);
        let (round, spent) = (self.state.history.round(), self.ledger.spent());
        let boxed = Box::new(epoch.clone());
        let mut events = vec![Event::SearchEpoch { round, epoch: boxed, usage, spent }];
        events.append(&mut self.ledger.warnings());
        self.write(events)?;
        self.state.failures = 0;
        let folder = self.job.checkpoints.clone();
        checkpoints::prune(&folder, &self.state.history, self.settings.keep_checkpoints);
        self.judged(&epoch, spent)
    }

    /// Asks the policies about the last epoch, and journals what they say with what follows.
    fn judged(&mut self, epoch: &OneShotEpoch, spent: Spending) -> Result<Decision, SearchError> {
        let mut judgement = self.judge(epoch, spent);
        let mut decision = review::decide(&judgement, &self.state.history);
        if let Some(problem) = self.obstacle(&decision) {
            let policy = judgement.policy.clone();
            let code = judgement.verdict.code.clone();
            let reason = format!("{}; but {problem}", judgement.verdict.reason);
            decision = Decision::Stop(StopReason::PolicyHalt { policy, code, reason });
        }
        let events = review::events(&mut judgement, &decision);
        self.write(events)?;
        self.state.history.is_undecided = false;
        Ok(decision)
    }

    fn judge(&mut self, epoch: &OneShotEpoch, spent: Spending) -> crate::search::Judgement {
        self.state.epochs.judge(self.policies, epoch, spent)
    }

    /// Why a decision can't be carried out.
    fn obstacle(&self, decision: &Decision) -> Option<String> {
        let history = &self.state.history;
        match decision {
            Decision::End { epoch, .. } => match history.epoch(*epoch)?.genotype {
                Some(_) => None,
                None => Some(format!(
                    "the strategy derives at the end of its search only: epoch {epoch} has no \
                     genotype"
                )),
            },
            Decision::RollBack { epoch, .. } => {
                let checkpoint = &history.epoch(*epoch)?.checkpoint;
                let fault = checkpoints::fault(&self.job.checkpoints, checkpoint)?;
                let keep = self.settings.keep_checkpoints;
                Some(format!("{fault}; `supernet.keep_checkpoints` is {keep}"))
            }
            Decision::GoOn | Decision::Stop(_) => None,
        }
    }

    /// What is wrong with an epoch that a worker told of.
    fn fault(&self, epoch: &OneShotEpoch) -> Option<String> {
        let history = &self.state.history;
        let (number, expected) = (epoch.checkpoint.epoch, history.next_epoch());
        let plan = history.plan.as_ref()?;
        if number != expected || number >= plan.plan.epochs {
            let epochs = plan.plan.epochs;
            return Some(format!(
                "it told of epoch {number}, but epoch {expected} of {epochs} was due"
            ));
        }
        let (n_paths, n_weights) = (plan.n_paths as usize, epoch.alpha.len());
        if n_weights != 0 && n_weights != n_paths {
            return Some(format!("{n_weights} architecture weights for {n_paths} paths"));
        }
        if let Some(genotype) = &epoch.genotype
            && let Err(error) = self.space.check(genotype)
        {
            return Some(format!("the genotype of epoch {number} is none of the space: {error}"));
        }
        checkpoints::fault(&self.job.checkpoints, &epoch.checkpoint)
    }

    fn take_plan(&mut self, plan: SearchPlan) -> Result<Result<(), StopReason>, SearchError> {
        let choices = choice_paths(self.space);
        let n_paths: usize = choices.iter().map(|choice| choice.paths.len()).sum();
        if plan.n_paths as usize != n_paths {
            let message = format!(
                "plan a search of this space: {} paths, but the space has {n_paths}",
                plan.n_paths
            );
            return Ok(Err(self.strategy_failed(message)));
        }
        match &self.state.history.plan {
            None => self.write(vec![Event::SearchPlanned { plan, choices }]).map(Ok),
            Some(known) if *known == plan => Ok(Ok(())),
            Some(_) => Ok(Err(self.strategy_failed(
                "repeat its plan: it is another one now; was a plugin or the data changed?"
                    .to_owned(),
            ))),
        }
    }

    /// Writes down that time passed, now and then.
    fn tick(&mut self, worker: &mut SearchWorker) -> Result<(), SearchError> {
        let spent = self.ledger.spent();
        if self.stop.take_sign_of_life() {
            self.write(vec![Event::Heartbeat { spent }])?;
        }
        if spent.wall_seconds - self.state.last_journalled > JOURNAL_SECONDS {
            let usage = worker.used();
            self.ledger.overhead(&usage);
            let spent = self.ledger.spent();
            let mut events = vec![Event::SearchTicked { usage, spent }];
            events.append(&mut self.ledger.warnings());
            self.write(events)?;
            self.observer.idle(&spent);
        }
        Ok(())
    }

    /// What the search may use of what is left, by its own limits.
    pub(super) fn allowance(&self) -> SearchAllowance {
        let (settings, used) = (self.settings, &self.state.history.usage);
        SearchAllowance {
            wall_seconds: settings.wall_seconds.map(|limit| (limit - used.wall_seconds).max(0.0)),
            cpu_seconds: settings.cpu_seconds.map(|limit| (limit - used.cpu_seconds).max(0.0)),
            memory_bytes: settings.memory_bytes,
            margin: KillMargin::for_polling(POLL_INTERVAL, self.worker.setup.threads),
            threads: self.worker.setup.threads,
        }
    }

    /// Writes events down, all at once, and takes them in.
    pub(super) fn write(&mut self, events: Vec<Event>) -> Result<(), SearchError> {
        if events.is_empty() {
            return Ok(());
        }
        self.log.append(&events)?;
        self.ledger.report()?;
        let spent = self.ledger.spent();
        self.state.last_journalled = spent.wall_seconds;
        for event in &events {
            self.state.history.apply(event);
            self.observer.event(event, &spent);
        }
        Ok(())
    }
}

/// Whether an event shows that the epoch before it was decided on.
fn is_decision(event: &Event) -> bool {
    matches!(
        event,
        Event::SearchEpoch { .. }
            | Event::SearchRolledBack { .. }
            | Event::SearchEnded(_)
            | Event::SearchDispatched { .. }
            | Event::Judged { .. }
            | Event::Stopped { .. }
    )
}

/// The folder of checkpoints, made if it is not there.
///
/// # Errors
/// What the system says.
pub fn make_checkpoint_folder(run: &Path) -> std::io::Result<std::path::PathBuf> {
    let folder = std::path::absolute(checkpoints::checkpoint_folder(run))?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
