//! The loop itself.

use std::sync::Arc;
use std::time::Duration;

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::{Outcome, Trial, TrialId};
use nas_plugin_api::verdict::Spending;
use xxhash_rust::xxh3::xxh3_64;

use super::order::Order;
use super::state::{Open, State};
use super::stop_signal::StopSignal;
use super::work::{Assignment, Work};
use super::{Champion, HoldoutReads, Observer, Parts, SearchError};
use crate::budget::{Ledger, Reserve, TICK_SECONDS};
use crate::executor::{Completion, Ended, Executor, Job, Update};
use crate::journal::{Answer, Event, EventLog, StopReason};
use crate::settings::Settings;

/// How long the loop waits for workers before it looks at stop signals and clocks again.
const POLL: Duration = Duration::from_millis(50);
/// How often passing time is journalled when nothing else is, in seconds; well below what a
/// killed session is charged.
pub(crate) const JOURNAL_SECONDS: f64 = TICK_SECONDS / 2.0;
/// How long workers get to end by themselves when a search is stopped.
const GRACE: Duration = Duration::from_millis(500);

/// How a search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Why it stopped.
    pub reason: StopReason,
    /// The best trial, if one has a result.
    pub champion: Option<Champion>,
    /// What the run spent in all.
    pub spent: Spending,
    /// How many proposals were made.
    pub proposed: u64,
}

/// A search that is under way: one strategy, one evaluator, one journal.
pub struct Search<'a> {
    pub(super) parts: Parts,
    pub(super) state: State,
    pub(super) ledger: Ledger,
    pub(super) log: &'a mut dyn EventLog,
    pub(super) executor: Box<dyn Executor>,
    pub(super) work: Box<dyn Work>,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) holdout: Option<HoldoutReads>,
    order: Order,
    seed: u64,
    pub(super) stop_signal: StopSignal,
    /// The strategy said that it waits for a running trial.
    waiting: bool,
    last_journalled: f64,
    /// Events that are to be written with the next group.
    pub(super) unwritten: Vec<Event>,
    /// Trials whose weights go once it is written that they were beaten.
    beaten: Vec<TrialId>,
}

impl<'a> Search<'a> {
    /// A search that has not begun; the first event must have been journalled.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is a part of its own, given once")]
    pub fn new(
        settings: &Settings,
        parts: Parts,
        ledger: Ledger,
        log: &'a mut dyn EventLog,
        executor: Box<dyn Executor>,
        work: Box<dyn Work>,
        observer: &'a mut dyn Observer,
        stop_signal: StopSignal,
    ) -> Self {
        let execution = &settings.execution;
        let order = match execution.deterministic {
            true => Order::ByNumber { workers: executor.capacity() as u64 },
            false => Order::AsTheyEnd,
        };
        let state = State::of(settings);
        Self {
            parts,
            state,
            ledger,
            log,
            executor,
            work,
            observer,
            holdout: None,
            order,
            seed: settings.seed,
            stop_signal,
            waiting: false,
            last_journalled: 0.0,
            unwritten: Vec::new(),
            beaten: Vec::new(),
        }
    }

    /// The same search, which reads the holdout now and then for its policies.
    #[must_use]
    pub fn with_holdout(mut self, holdout: Option<HoldoutReads>) -> Self {
        self.holdout = holdout;
        self
    }

    /// Runs until something ends the search; the journal then says why.
    ///
    /// # Errors
    /// What makes going on impossible. Everything that was journalled stays, and `resume` goes on
    /// from there.
    pub fn run(mut self) -> Result<Summary, SearchError> {
        let looped = self.run_loop();
        if let Err(error) = looped {
            self.end_workers();
            let reason = match &error {
                SearchError::Component { component, source } => StopReason::PluginFailed {
                    component: component.clone(),
                    message: source.to_string(),
                },
                SearchError::Executor(_) => {
                    StopReason::WorkersFailed { message: error.to_string() }
                }
                _ => return Err(error),
            };
            self.state.stop = Some(reason);
        }
        self.finish()
    }

    fn run_loop(&mut self) -> Result<(), SearchError> {
        loop {
            // Before anything is asked for: the stop may be older than this session.
            if self.state.stop.is_none() && self.stop_signal.wants_stop() {
                self.state.stop_for(self.stop_signal.reason());
            }
            let talked = self.talk()?;
            let dispatched = self.dispatch()?;
            self.write()?;
            if self.is_over() {
                return Ok(());
            }
            if self.stop_signal.take_sign_of_life() {
                self.journal(vec![Event::Heartbeat { spent: self.ledger.spent() }])?;
            }
            if self.stop_signal.wants_stop_now() {
                self.end_workers();
                return Ok(());
            }
            let busy = talked || dispatched;
            if self.state.n_running > 0 {
                self.collect(if busy { Duration::ZERO } else { POLL })?;
            } else if !busy {
                self.check_stuck()?;
            }
        }
    }

    /// Tells the strategy of trials that ended, and asks it for as many proposals as could be
    /// dispatched, with one call where there is both to do.
    fn talk(&mut self) -> Result<bool, SearchError> {
        let trials = self.tell()?;
        let free = self.executor.capacity().saturating_sub(self.state.n_running);
        let slots = self.order.slots(&self.state, self.waiting, free);
        let has_told = !trials.is_empty();
        if slots == 0 || self.ledger.is_spent() {
            if has_told {
                let tell = move |strategy: &mut dyn SearchStrategy| strategy.tell(&trials);
                self.parts.call_strategy("take results", tell)?;
            }
            return Ok(has_told);
        }
        let spent = self.ledger.spent();
        let answer = match has_told {
            true => self.parts.tell_and_ask(trials, slots)?,
            false => self.parts.call_strategy("propose", move |strategy| strategy.ask(slots))?,
        };
        let answer = answer_of(answer, self.state.next_trial);
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        self.waiting = answer == Answer::Wait;
        let place = self.unwritten.len();
        self.state.asked(&self.parts, &answer, spent, None, &mut self.unwritten);
        self.unwritten.insert(place, Event::Asked { slots, answer, spent });
        Ok(has_told || !self.waiting)
    }

    /// What the strategy is to be told of trials that ended, once the journal has it.
    fn tell(&mut self) -> Result<Vec<Trial>, SearchError> {
        let ids = self.order.to_tell(&self.state, self.waiting);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let place = self.unwritten.len();
        let trials = self.state.told(&self.parts, &ids, &mut self.unwritten);
        self.unwritten.insert(place, Event::Told { trials: ids });
        self.write()?;
        self.waiting = false;
        Ok(trials)
    }

    /// Gives queued trials to workers, as far as workers are free and the budget lasts.
    fn dispatch(&mut self) -> Result<bool, SearchError> {
        let mut jobs = Vec::new();
        while self.state.stop.is_none() && self.state.n_running < self.executor.capacity() {
            let Some(&trial) = self.state.queue.front() else { break };
            let Some(Open { proposal, attempt, admitted: Some(admitted), observed, .. }) =
                self.state.open.get(&trial)
            else {
                self.state.queue.pop_front();
                continue;
            };
            let (attempt, seed) = (*attempt, trial_seed(self.seed, trial, observed.len()));
            let Reserve::Granted(reservation) = self.ledger.reserve(trial)? else { break };
            let fidelity = admitted.fidelity;
            let continues = self.state.checkpoints.of(proposal);
            let assignment =
                Assignment { trial, attempt, proposal, fidelity, seed, reservation, continues };
            let work = self.work.job(&assignment)?;
            jobs.push(Job::new(work, reservation).of(proposal.genotype.clone()));
            self.unwritten.push(Event::Dispatched { trial, attempt, reservation, seed });
            self.state.dispatched(trial, attempt);
        }
        let dispatched = !jobs.is_empty();
        if dispatched {
            self.write()?;
        }
        jobs.into_iter().for_each(|job| self.executor.submit(job));
        Ok(dispatched)
    }

    /// Takes what workers report: score, review, journal.
    fn collect(&mut self, timeout: Duration) -> Result<(), SearchError> {
        let updates = self.executor.poll(timeout)?;
        self.take(updates)?;
        self.tick()
    }

    /// Writes down that time passed, now and then.
    fn tick(&mut self) -> Result<(), SearchError> {
        let spent = self.ledger.spent();
        if spent.wall_seconds - self.last_journalled > JOURNAL_SECONDS {
            self.journal(vec![Event::Ticked { spent }])?;
            self.observer.idle(&spent);
        }
        Ok(())
    }

    fn take(&mut self, updates: Vec<Update>) -> Result<(), SearchError> {
        let mut completed = Vec::with_capacity(updates.len());
        for update in updates {
            match update {
                Update::Epoch { trial, record, .. } => self.observer.epoch(trial, &record),
                Update::Overhead { what, usage } => {
                    self.ledger.overhead(&usage);
                    self.unwritten.push(Event::Overhead { what, usage });
                }
                Update::Completed(completion) => completed.extend(self.complete(completion)),
            }
        }
        let has_results = !completed.is_empty();
        self.judge(completed)?;
        self.unwritten.append(&mut self.ledger.warnings());
        if has_results { self.look_at_holdout() } else { Ok(()) }
    }

    /// An attempt that is the last evaluation of its trial, to be judged; any other is noted.
    fn complete(&mut self, completion: Completion) -> Option<Completion> {
        let Completion { trial, attempt, ended, usage, curve, checkpoint } = completion;
        let open = self.state.open.get(&trial)?;
        if open.attempt != attempt || open.admitted.is_none() {
            return None;
        }
        let ended = match ended {
            Ended::Finished(measurements) if self.state.wants_repeat(trial) => {
                self.ledger.charge(trial, &usage);
                self.state.repeated(trial, measurements.clone());
                self.unwritten.push(Event::Repeated { trial, attempt, measurements, usage });
                return None;
            }
            Ended::Finished(measurements) => Ended::Finished(self.state.mean(trial, measurements)),
            failed => failed,
        };
        Some(Completion { trial, attempt, ended, usage, curve, checkpoint })
    }

    /// Scores and reviews trials that ended together, and notes their ends in order.
    fn judge(&mut self, completed: Vec<Completion>) -> Result<(), SearchError> {
        if completed.is_empty() {
            return Ok(());
        }
        let (ends, notes): (Vec<_>, Vec<_>) = completed
            .into_iter()
            .map(|Completion { trial, attempt, ended, usage, curve, checkpoint }| {
                ((trial, ended), (trial, attempt, usage, curve, checkpoint))
            })
            .unzip();
        let (results, judgements) = self.state.judge_ends(&self.parts, ends)?;
        for ((note, result), judgement) in notes.into_iter().zip(results).zip(judgements) {
            let (trial, attempt, usage, curve, checkpoint) = note;
            self.ledger.charge(trial, &usage);
            if let Some(mut judgement) = judgement {
                self.unwritten.append(&mut judgement.objections);
                self.state.obey(&judgement);
            }
            if let Some(sha256) = checkpoint {
                self.state.kept_checkpoint(trial, &sha256);
                self.unwritten.push(Event::CheckpointKept { trial, sha256 });
            }
            if result.outcome == Outcome::Untrained {
                self.ledger.untrained(trial);
            }
            let result = Arc::new(result);
            let ended = Event::Ended { trial, attempt, result: Arc::clone(&result), usage, curve };
            self.unwritten.push(ended);
            self.beaten.extend(self.state.ended(&self.parts, trial, result, &mut self.unwritten));
        }
        Ok(())
    }

    pub(super) fn set_waiting(&mut self, waiting: bool) {
        self.waiting = waiting;
    }

    /// Whether nothing is left to do.
    fn is_over(&self) -> bool {
        let idle = self.state.n_running == 0;
        let stopped = self.state.stop.is_some() && idle;
        let done = self.state.done.is_some()
            && idle
            && self.state.queue.is_empty()
            && self.state.ended.is_empty();
        stopped || done
    }

    /// Nothing runs and nothing was done: either the budget is spent or the strategy is stuck.
    fn check_stuck(&mut self) -> Result<(), SearchError> {
        if let Some(budget) = self.ledger.spent_budget() {
            self.state.stop_for(StopReason::BudgetSpent { budget });
        } else if !self.state.queue.is_empty() {
            // Other runs hold what is left of the quota; they may give some of it back.
            std::thread::sleep(POLL);
            self.tick()?;
        } else if self.state.ended.is_empty() {
            let message = "propose: it waits for results although no trial is running";
            return Err(SearchError::Component {
                component: self.parts.strategy.component().to_owned(),
                source: PluginError::internal(message).into(),
            });
        }
        Ok(())
    }

    /// Ends what is under way; what it used is charged, and it is tried again on resume.
    fn end_workers(&mut self) {
        let mut events = Vec::new();
        let updates = self.executor.stop_all(GRACE);
        self.stop_signal.workers_ended();
        for update in updates {
            match update {
                Update::Completed(Completion { trial, attempt, usage, .. }) => {
                    self.ledger.charge(trial, &usage);
                    self.state.abandoned(trial);
                    events.push(Event::Abandoned { trial, attempt, usage });
                }
                Update::Overhead { what, usage } => {
                    self.ledger.overhead(&usage);
                    events.push(Event::Overhead { what, usage });
                }
                Update::Epoch { .. } => {}
            }
        }
        // The search ends anyway; a journal that fails now charges in full on resume.
        let _ = self.journal(events);
    }

    fn finish(mut self) -> Result<Summary, SearchError> {
        let _ = self.executor.stop_all(GRACE);
        self.stop_signal.workers_ended();
        let reason = match (self.state.stop.take(), self.state.done.take()) {
            (Some(reason), _) => reason,
            (None, done) => StopReason::StrategyDone { reason: done.unwrap_or_default() },
        };
        self.look_at_holdout_once_more(&reason)?;
        let mut events = Vec::new();
        let champion = self.state.crown(&self.parts, &mut events);
        let spent = self.ledger.spent();
        let trial = champion.as_ref().map(|champion| champion.trial);
        if !reason.is_resumable() {
            self.state.checkpoints.give_up();
        }
        events.push(Event::Stopped { reason: reason.clone(), spent, champion: trial });
        self.journal(events)?;
        Ok(Summary { reason, champion, spent, proposed: self.state.next_trial })
    }

    /// Writes events down, with those that wait to be written.
    pub(super) fn journal(&mut self, events: Vec<Event>) -> Result<(), SearchError> {
        self.unwritten.extend(events);
        self.write()
    }

    /// Writes down what waits to be written, all at once, and shows it to the observer. Results
    /// wait for the tell that follows, answers for their dispatch: two groups a trial, not four.
    pub(super) fn write(&mut self) -> Result<(), SearchError> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        self.log.append(&self.unwritten)?;
        self.ledger.report()?;
        let spent = self.ledger.spent();
        self.last_journalled = spent.wall_seconds;
        self.unwritten.iter().for_each(|event| self.observer.event(event, &spent));
        self.unwritten.clear();
        // Only what is journalled as beaten may lose its weights, or as gone on from its checkpoint.
        std::mem::take(&mut self.beaten).into_iter().for_each(|trial| self.work.discard(trial));
        let used_up = self.state.checkpoints.take_used_up();
        used_up.into_iter().for_each(|trial| self.work.discard_checkpoint(trial));
        Ok(())
    }
}

/// What a strategy answered, as it is journalled.
pub(super) fn answer_of(answer: Ask, first: TrialId) -> Answer {
    match answer {
        Ask::Proposals(proposals) => Answer::Proposals { first, proposals },
        Ask::Wait => Answer::Wait,
        Ask::Done { reason } => Answer::Done { reason },
    }
}

/// The seed of a trial: a hash of the run's seed, the trial's number and which of its evaluations
/// it is; the same for every attempt.
fn trial_seed(seed: u64, trial: TrialId, repeat: usize) -> u64 {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&trial.to_le_bytes());
    bytes[16..].copy_from_slice(&(repeat as u64).to_le_bytes());
    xxh3_64(&bytes)
}
