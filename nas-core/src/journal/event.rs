//! What is written down: everything that happened in a run, in order.

use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Cost, EpochRecord, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{HoldoutReading, QuestionKind, Spending, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Approval, ChoicePaths, Control, OrganisationRecord, SearchEnd, Start, StopReason};
use crate::budget::Reservation;
use crate::protocol::Usage;
use crate::protocol::one_shot::{OneShotEpoch, SearchPlan};

/// One thing that happened. Together they are the truth: everything else about a run is computed
/// from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The run begins; always the first event.
    Started(Box<Start>),
    /// A supervisor takes the run up again.
    Resumed {
        /// The settings that are in force from here, if they changed.
        settings: Option<Value>,
        /// The framework's version.
        version: String,
    },
    /// An organisation's policy holds from here.
    OrganisationPolicy(Box<OrganisationRecord>),
    /// The strategy was asked.
    Asked {
        /// How many proposals were wanted.
        slots: u32,
        /// What it answered.
        answer: Answer,
        /// What had been spent; replay shows policies the same numbers.
        spent: Spending,
    },
    /// A policy objected, or would have.
    Judged {
        /// The policy's name.
        policy: String,
        /// What it was asked.
        question: QuestionKind,
        /// About this trial, if about one.
        trial: Option<TrialId>,
        /// What it answered.
        verdict: Verdict,
        /// Whether the answer was obeyed; otherwise it was only observed.
        enforced: bool,
    },
    /// A person decided on what a policy wanted approved.
    Approval(Box<Approval>),
    /// A trial ended without being dispatched: refused, invalid, or a duplicate.
    Settled {
        /// The trial.
        trial: TrialId,
        /// How it ended.
        result: Arc<TrialResult>,
    },
    /// Budget was reserved for a trial, and it was given to a worker.
    Dispatched {
        /// The trial.
        trial: TrialId,
        /// From 0.
        attempt: u32,
        /// What it may use.
        reservation: Reservation,
        /// The seed of everything random in it.
        seed: u64,
    },
    /// A dispatched trial ended.
    Ended {
        /// The trial.
        trial: TrialId,
        /// Which attempt.
        attempt: u32,
        /// How it ended.
        result: Arc<TrialResult>,
        /// What it is charged.
        usage: Usage,
        /// What each epoch showed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        curve: Vec<EpochRecord>,
    },
    /// A dispatched trial kept a checkpoint, from which another one may go on; its end follows.
    CheckpointKept {
        /// The trial.
        trial: TrialId,
        /// The file's sha256.
        sha256: String,
    },
    /// One of several evaluations of a dispatched trial ended; the next one has another seed.
    Repeated {
        /// The trial.
        trial: TrialId,
        /// Which attempt.
        attempt: u32,
        /// What was observed.
        measurements: Measurements,
        /// What it is charged.
        usage: Usage,
    },
    /// An attempt that was under way when its supervisor or worker died; it is charged in full and
    /// the trial is dispatched again.
    Abandoned {
        /// The trial.
        trial: TrialId,
        /// Which attempt.
        attempt: u32,
        /// What it is charged.
        usage: Usage,
    },
    /// The strategy was told of these trials, in this order.
    Told {
        /// The trials.
        trials: Vec<TrialId>,
    },
    /// A budget is nearly used up.
    BudgetWarning {
        /// Which (`wall_seconds`, …).
        budget: String,
        /// What is spent.
        spent: f64,
        /// What may be spent.
        limit: f64,
    },
    /// Processor time that belongs to no trial (start of workers, data, audits).
    Overhead {
        /// What it was.
        what: String,
        /// What it used.
        usage: Usage,
    },
    /// The holdout is about to be read: from here on the read counts, whatever comes of it.
    HoldoutOpened(Box<HoldoutOpened>),
    /// The holdout was read, to audit a trial's network.
    Audited {
        /// The trial.
        trial: TrialId,
        /// What was measured.
        measurements: Measurements,
        /// The same beside what the search saw, as policies are told; absent in journals of earlier
        /// versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reading: Option<HoldoutReading>,
        /// What is charged for it; in journals of earlier versions an [`Event::Overhead`] says it.
        #[serde(default)]
        usage: Usage,
    },
    /// A read of the holdout came to nothing; it counts all the same.
    HoldoutUnread {
        /// The trial.
        trial: TrialId,
        /// What happened.
        message: String,
        /// What is charged for it.
        usage: Usage,
    },
    /// A one-shot search says what it is going to do; once a run.
    SearchPlanned {
        /// What it is going to do.
        plan: SearchPlan,
        /// What the numbers of a mixture belong to.
        choices: Vec<ChoicePaths>,
    },
    /// Budget was reserved for a one-shot search, and it was given to a worker.
    SearchDispatched {
        /// From 0.
        attempt: u32,
        /// The epoch after whose checkpoint it goes on; absent for its beginning.
        resume_from: Option<u32>,
        /// What this attempt may use.
        reservation: Reservation,
    },
    /// Time passed in an epoch of a one-shot search.
    SearchTicked {
        /// What is charged for it.
        usage: Usage,
        /// What had been spent then, in all.
        spent: Spending,
    },
    /// An epoch of a one-shot search is over, and its checkpoint is in place.
    SearchEpoch {
        /// How often the search had gone back before: with the epoch's number, unique in a run.
        round: u32,
        /// What it showed.
        epoch: Box<OneShotEpoch>,
        /// What is charged for it, besides what was charged as it ran.
        usage: Usage,
        /// What had been spent then, in all; replay shows policies the same numbers.
        spent: Spending,
    },
    /// A one-shot search goes on from an earlier epoch.
    SearchRolledBack {
        /// The policy that wanted it.
        policy: String,
        /// The epoch whose checkpoint it goes on from.
        epoch: u32,
        /// Factor on the weight decay from here on.
        weight_decay_factor: f64,
    },
    /// A worker of a one-shot search is gone before the search was over.
    SearchAbandoned {
        /// Which attempt.
        attempt: u32,
        /// What is charged for it, besides what was charged as it ran.
        usage: Usage,
        /// Why.
        message: String,
    },
    /// A one-shot search is over: what it found is trained next.
    SearchEnded(Box<SearchEnd>),
    /// Controls of the result begin, on a run whose search is over.
    ControlsBegan {
        /// The settings that are in force from here, if they changed.
        settings: Option<Value>,
    },
    /// Budget was reserved for a control, and it was given to a worker.
    ControlDispatched(Box<Control>),
    /// A control ended.
    ControlEnded {
        /// Which.
        number: u64,
        /// What was observed; absent where it came to nothing.
        measurements: Option<Measurements>,
        /// Why it came to nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What it is charged.
        usage: Usage,
    },
    /// The controls are over.
    ControlsOver {
        /// Why some were not run.
        not_run: Option<String>,
        /// What the run spent in all.
        spent: Spending,
    },
    /// Wall time passed; written when nothing else was for a while, so that a crash loses little.
    Ticked {
        /// What had been spent.
        spent: Spending,
    },
    /// Someone gave a sign of life; written in a run that waits for them (`stop.heartbeat`).
    Heartbeat {
        /// What had been spent.
        spent: Spending,
    },
    /// The run is over, or was stopped and can be resumed.
    Stopped {
        /// Why.
        reason: StopReason,
        /// What the run spent in all.
        spent: Spending,
        /// The best trial, if one has a result.
        champion: Option<TrialId>,
    },
}

/// A read of the holdout, before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldoutOpened {
    /// Which read of the run it is, from 1.
    pub query: u32,
    /// How many the run may make.
    pub queries: u32,
    /// The trial whose network reads it.
    pub trial: TrialId,
    /// Its genotype.
    pub genotype: Genotype,
    /// Who wants it: policies by their names, or the end of the search.
    pub by: String,
    /// Why now.
    pub why: String,
    /// What the read may use; charged in full if it is cut off.
    pub reservation: Reservation,
}

/// What a strategy answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Proposals; their trials are numbered from `first`.
    Proposals {
        /// The first one's number.
        first: TrialId,
        /// The proposals.
        proposals: Vec<Proposal>,
    },
    /// Nothing until a running trial is told.
    Wait,
    /// The search is over.
    Done {
        /// Why.
        reason: String,
    },
}

/// How a trial ended, as its strategy is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// How.
    pub outcome: Outcome,
    /// One value per objective; empty without a result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<f64>,
    /// What was observed.
    #[serde(default)]
    pub measurements: Measurements,
    /// What the network costs.
    #[serde(default)]
    pub cost: Cost,
    /// The network's canonical hash, in hexadecimal; empty for an invalid genotype.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub canonical: String,
    /// The trial whose result this is, for a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<TrialId>,
    /// Why, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
