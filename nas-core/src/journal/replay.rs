//! What a run's events add up to.

use std::collections::{BTreeMap, BTreeSet};

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{EpochRecord, Measurements};
use nas_plugin_api::trial::{Proposal, TrialId};
use nas_plugin_api::verdict::{HoldoutReading, QuestionKind, Spending, Verdict};
use serde_json::Value;

use super::{
    Answer, Approval, Control, ControlKind, Event, HoldoutHistory, OrganisationRecord,
    SearchHistory, Start, StopReason, TrialResult,
};
use crate::budget::{Reservation, TICK_SECONDS, Tally};
use crate::protocol::Usage;

/// A run as its events tell it: folded one by one with [`Self::apply`], which looks at nothing
/// else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunHistory {
    /// How it began; absent before the first event.
    pub start: Option<Start>,
    /// The settings in force, resolved; those of the last resume that changed them.
    pub settings: Value,
    /// The organisation's policies that held, the last one now.
    pub organisations: Vec<OrganisationRecord>,
    /// How many times a supervisor took it up, the first one included.
    pub sessions: u32,
    /// What the strategy was asked and told, in order: what a replay repeats.
    pub steps: Vec<Step>,
    /// What each trial ended with.
    pub results: BTreeMap<TrialId, TrialResult>,
    /// What the epochs of each trial's last attempt showed, where there were any.
    pub curves: BTreeMap<TrialId, Vec<EpochRecord>>,
    /// Attempts under way, by trial and number: dispatched, and neither ended nor abandoned.
    pub open: BTreeMap<(TrialId, u32), OpenAttempt>,
    /// How many attempts each dispatched trial has had.
    pub attempts: BTreeMap<TrialId, u32>,
    /// What each dispatched trial was charged, all its attempts together.
    pub usage: BTreeMap<TrialId, Usage>,
    /// Trials of which the strategy was told.
    pub told: BTreeSet<TrialId>,
    /// What policies objected to, in order.
    pub judgements: Vec<Judgement>,
    /// What holdout audits measured.
    pub audits: BTreeMap<TrialId, Measurements>,
    /// The same beside what the search saw, in order.
    pub readings: Vec<HoldoutReading>,
    /// How often the holdout was read.
    pub holdout: HoldoutHistory,
    /// Controls of its result, in the order in which they began.
    pub controls: Vec<ControlResult>,
    /// Why some controls were not run, the last time.
    pub controls_not_run: Option<String>,
    /// The one-shot search, in a run that has one.
    pub search: SearchHistory,
    /// What was spent.
    pub tally: Tally,
    /// What was decided since it stopped to wait for an approval.
    pub decision: Option<Approval>,
    /// What was approved.
    pub approvals: Vec<Approval>,
    /// How it ended; absent while it runs, and when it was cut off.
    pub stop: Option<Stop>,
    /// Wall seconds spent at the last sign of life; 0 where there was none.
    heartbeat_seconds: f64,
    /// Where the proposals of each answer are: its first trial, and its place in `steps`.
    answers: BTreeMap<TrialId, usize>,
}

/// A control, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlResult {
    /// What was trained.
    pub control: Control,
    /// What was observed; absent while it runs, and where it came to nothing.
    pub measurements: Option<Measurements>,
    /// Why it came to nothing.
    pub reason: Option<String>,
}

impl ControlResult {
    /// Whether it says something of this network: any random one does, others only of themselves.
    #[must_use]
    pub fn is_about(&self, champion: &Genotype) -> bool {
        self.control.kind == ControlKind::Random || self.control.genotype == *champion
    }
}

/// A step of the conversation with the strategy.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It was asked.
    Asked {
        /// How many proposals were wanted.
        slots: u32,
        /// What it answered.
        answer: Answer,
        /// What had been spent.
        spent: Spending,
    },
    /// It was told of these trials.
    Told {
        /// The trials.
        trials: Vec<TrialId>,
    },
}

/// An attempt under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenAttempt {
    /// What it may use.
    pub reservation: Reservation,
    /// The seed of everything random in it.
    pub seed: u64,
}

/// A policy's objection.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The policy's name.
    pub policy: String,
    /// What it was asked.
    pub question: QuestionKind,
    /// About this trial, if about one.
    pub trial: Option<TrialId>,
    /// What it answered.
    pub verdict: Verdict,
    /// Whether the answer was obeyed.
    pub enforced: bool,
}

/// How a run ended, for good or until it is resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// The best trial.
    pub champion: Option<TrialId>,
}

impl RunHistory {
    /// Folds these events.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut history = Self::default();
        for event in events {
            history.apply(event);
        }
        history
    }

    /// Adds one event.
    pub fn apply(&mut self, event: &Event) {
        self.tally.apply(event);
        self.search.apply(event);
        self.holdout.apply(event);
        match event {
            Event::Started(start) => {
                self.settings = start.settings.clone();
                self.start = Some((**start).clone());
                self.sessions = 1;
            }
            Event::Resumed { settings, .. } => {
                if let Some(settings) = settings {
                    let waits = |settings: &Value| !settings["stop"]["heartbeat"].is_null();
                    if !waits(&self.settings) && waits(settings) {
                        self.heartbeat_seconds = self.tally.spent().wall_seconds;
                    }
                    self.settings = settings.clone();
                }
                self.sessions += 1;
                self.stop = None;
            }
            Event::ControlsBegan { settings } => {
                if let Some(settings) = settings {
                    self.settings = settings.clone();
                }
            }
            Event::ControlDispatched(control) => self.controls.push(ControlResult {
                control: (**control).clone(),
                measurements: None,
                reason: None,
            }),
            Event::ControlEnded { number, measurements, reason, .. } => {
                let ended = self.controls.iter_mut().find(|one| one.control.number == *number);
                if let Some(ended) = ended {
                    (ended.measurements, ended.reason) = (measurements.clone(), reason.clone());
                }
            }
            Event::ControlsOver { not_run, .. } => self.controls_not_run.clone_from(not_run),
            Event::OrganisationPolicy(record) => self.organisations.push((**record).clone()),
            Event::Approval(approval) => {
                if approval.granted {
                    self.approvals.push((**approval).clone());
                }
                self.decision = Some((**approval).clone());
            }
            Event::Asked { slots, answer, spent } => self.ask(*slots, answer, spent),
            Event::Judged { policy, question, trial, verdict, enforced } => {
                self.judgements.push(Judgement {
                    policy: policy.clone(),
                    question: *question,
                    trial: *trial,
                    verdict: verdict.clone(),
                    enforced: *enforced,
                });
            }
            Event::Settled { trial, result } => {
                self.results.insert(*trial, (**result).clone());
            }
            Event::Dispatched { trial, attempt, reservation, seed } => {
                let open = OpenAttempt { reservation: *reservation, seed: *seed };
                self.open.insert((*trial, *attempt), open);
                *self.attempts.entry(*trial).or_default() += 1;
            }
            Event::Ended { trial, attempt, result, usage, curve } => {
                self.results.insert(*trial, (**result).clone());
                if !curve.is_empty() {
                    self.curves.insert(*trial, curve.clone());
                }
                self.charge(*trial, *attempt, usage);
            }
            Event::Abandoned { trial, attempt, usage }
            | Event::Repeated { trial, attempt, usage, .. } => {
                self.charge(*trial, *attempt, usage);
            }
            Event::Heartbeat { spent } => self.heartbeat_seconds = spent.wall_seconds,
            Event::Told { trials } => {
                self.told.extend(trials);
                self.steps.push(Step::Told { trials: trials.clone() });
            }
            Event::Audited { trial, measurements, reading, .. } => {
                self.audits.insert(*trial, measurements.clone());
                self.readings.extend(reading.clone());
            }
            Event::Stopped { reason, champion, .. } => {
                self.decision = None;
                self.stop = Some(Stop { reason: reason.clone(), champion: *champion });
            }
            Event::SearchPlanned { .. }
            | Event::SearchDispatched { .. }
            | Event::SearchTicked { .. }
            | Event::SearchEpoch { .. }
            | Event::SearchRolledBack { .. }
            | Event::SearchAbandoned { .. }
            | Event::SearchEnded(_)
            | Event::HoldoutOpened(_)
            | Event::HoldoutUnread { .. }
            | Event::BudgetWarning { .. }
            | Event::CheckpointKept { .. }
            | Event::Overhead { .. }
            | Event::Ticked { .. } => {}
        }
    }

    /// What was proposed as this trial.
    #[must_use]
    pub fn proposal(&self, trial: TrialId) -> Option<&Proposal> {
        let (first, place) = self.answers.range(..=trial).next_back()?;
        match self.steps.get(*place)? {
            Step::Asked { answer: Answer::Proposals { proposals, .. }, .. } => {
                proposals.get(usize::try_from(trial - first).ok()?)
            }
            _ => None,
        }
    }

    /// How many trials were proposed; they are numbered from 0.
    #[must_use]
    pub fn proposed(&self) -> u64 {
        let Some((first, place)) = self.answers.last_key_value() else { return 0 };
        match self.steps.get(*place) {
            Some(Step::Asked { answer: Answer::Proposals { proposals, .. }, .. }) => {
                first + proposals.len() as u64
            }
            _ => 0,
        }
    }

    /// Trials that were proposed and have no result, in order: a resume evaluates them again.
    pub fn unfinished(&self) -> impl Iterator<Item = TrialId> {
        (0..self.proposed()).filter(|trial| !self.results.contains_key(trial))
    }

    /// Wall seconds of the run since the last sign of life, or since it began. They are the
    /// ledger's: time without a supervisor is none, and killing one gains none.
    #[must_use]
    pub fn silent_seconds(&self) -> f64 {
        let unknown_end = if self.tally.is_live() { TICK_SECONDS } else { 0.0 };
        self.tally.spent().wall_seconds + unknown_end - self.heartbeat_seconds
    }

    fn ask(&mut self, slots: u32, answer: &Answer, spent: &Spending) {
        if let Answer::Proposals { first, proposals } = answer
            && !proposals.is_empty()
        {
            self.answers.insert(*first, self.steps.len());
        }
        self.steps.push(Step::Asked { slots, answer: answer.clone(), spent: *spent });
    }

    fn charge(&mut self, trial: TrialId, attempt: u32, usage: &Usage) {
        self.open.remove(&(trial, attempt));
        self.usage.entry(trial).or_default().add(usage);
    }
}
