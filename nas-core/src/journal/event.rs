//! What is written down: everything that happened in a run, in order.

use std::path::PathBuf;
use std::sync::Arc;

use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Cost, EpochRecord, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, TrialId};
use nas_plugin_api::verdict::{HoldoutReading, PolicyContext, QuestionKind, Spending, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::budget::Reservation;
use crate::organisation::FoundBy;
use crate::protocol::Usage;
use crate::protocol::data::DataSummary;
use crate::protocol::one_shot::{OneShotEpoch, SearchPlan};
use crate::time_span::TimeSpan;

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

/// A training that says how much of a result is luck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Its number in the run, from 0.
    pub number: u64,
    /// What it is for.
    pub kind: ControlKind,
    /// What is trained.
    pub genotype: Genotype,
    /// The seed of everything random in it.
    pub seed: u64,
    /// What it may use.
    pub reservation: Reservation,
}

impl Control {
    /// The ledger counts a control as the trial of this number plus its own; no strategy proposes as
    /// many.
    pub const FIRST_ID: TrialId = 1 << 63;

    /// As which trial the ledger counts it.
    #[must_use]
    pub fn id(&self) -> TrialId {
        Self::FIRST_ID + self.number
    }
}

/// What a control is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// The best network with another seed.
    Seed,
    /// A random network of the same space.
    Random,
    /// The best network on shuffled labels.
    ShuffledLabels,
}

impl ControlKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ShuffledLabels, Self::Seed, Self::Random];

    /// As it is journalled.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Random => "random",
            Self::ShuffledLabels => "shuffled_labels",
        }
    }
}

/// What the paths of one choice are, in a mixture's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoicePaths {
    /// The choice's id.
    pub choice: String,
    /// One name per path: an operation, an input, a number.
    pub paths: Vec<String>,
}

/// How a one-shot search ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchEnd {
    /// Why.
    pub why: SearchEndReason,
    /// The epoch from whose genotype was derived; absent where the strategy derived by itself.
    pub epoch: Option<u32>,
    /// What was derived, best first.
    pub genotypes: Vec<Genotype>,
    /// Random genotypes of the same space, which are trained at the same cost.
    pub baseline: Vec<RandomGenotype>,
    /// What is charged, besides what was charged as it ran.
    pub usage: Usage,
}

/// A random genotype.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomGenotype {
    /// The seed that it was drawn with.
    pub seed: u64,
    /// The genotype.
    pub genotype: Genotype,
}

/// Why a one-shot search is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum SearchEndReason {
    /// Its strategy derived.
    StrategyDone,
    /// A policy ended it, and an earlier epoch counts.
    Policy {
        /// The policy's name.
        policy: String,
        /// The rule.
        code: String,
        /// Its reason.
        message: String,
    },
    /// What it may use is used up, and its last epoch counts.
    BudgetSpent {
        /// Which budget.
        budget: String,
    },
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The framework's version.
    pub version: String,
    /// The settings, resolved: every default written out.
    pub settings: Value,
    /// Where relative paths in the settings of components begin.
    #[serde(default)]
    pub folder: PathBuf,
    /// The run's seed.
    pub seed: u64,
    /// The components that take part, with the digests of their libraries.
    pub components: Vec<ComponentRecord>,
    /// Files that components were given, with their digests.
    pub files: Vec<FileRecord>,
    /// The data and their splits; absent with a benchmark.
    pub data: Option<DataSummary>,
}

/// An organisation's policy that holds for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganisationRecord {
    /// Whose it is.
    pub organisation: String,
    /// Its file.
    pub path: PathBuf,
    /// What named the file.
    pub found_by: FoundBy,
    /// Hexadecimal sha256 of the file.
    pub sha256: String,
    /// What the signature says of itself, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// What the file says.
    pub rules: Value,
}

/// A person's decision on a run that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Whether the run may go on.
    pub granted: bool,
    /// The policy that asked.
    pub policy: String,
    /// What it wanted approved.
    pub threshold: String,
    /// Who decided, by their own word.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The last day (`2026-01-31`, UTC) on which an approval can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The approver's signature, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

impl Approval {
    /// Tells policies what was approved.
    pub(crate) fn note(&self, context: &mut PolicyContext) {
        context.approve(&self.threshold, self.signed.as_ref().map(|signed| signed.key.as_str()));
    }
}

/// A signature of minisign's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The public key.
    pub key: String,
    /// The signature, as its file has it.
    pub signature: String,
}

/// A component that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentRecord {
    /// Its kind.
    pub kind: ComponentKind,
    /// Its name.
    pub name: String,
    /// The library it came from; absent if it is linked in.
    pub library: Option<String>,
    /// Hexadecimal sha256 of the library.
    pub sha256: Option<String>,
}

/// A file that a component was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its path.
    pub path: String,
    /// Hexadecimal sha256 of its content.
    pub sha256: String,
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

/// Why a run is over or was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
#[non_exhaustive]
pub enum StopReason {
    /// The strategy is done.
    StrategyDone {
        /// Its reason.
        reason: String,
    },
    /// A budget is used up.
    BudgetSpent {
        /// Which.
        budget: String,
    },
    /// Too many duplicates in a row: the space, or what the strategy makes of it, is used up.
    OnlyDuplicates {
        /// How many.
        count: u32,
    },
    /// Too many refused or invalid candidates in a row.
    OnlyRefusals {
        /// How many.
        count: u32,
    },
    /// A policy halted the run.
    PolicyHalt {
        /// The policy's name.
        policy: String,
        /// The rule.
        code: String,
        /// Its reason.
        reason: String,
    },
    /// A policy wants a person's approval first.
    AwaitingApproval {
        /// The policy's name.
        policy: String,
        /// What is to be approved.
        threshold: String,
        /// Its reason.
        reason: String,
    },
    /// A person stopped it.
    Interrupted,
    /// The stop file of the settings is there.
    StopFile {
        /// The file.
        path: PathBuf,
    },
    /// Nobody gave a sign of life for so long (`stop.heartbeat`).
    HeartbeatLapsed {
        /// The longest silence that was allowed.
        interval: TimeSpan,
    },
    /// A plugin failed.
    PluginFailed {
        /// The component.
        component: String,
        /// What happened.
        message: String,
    },
    /// No worker can be kept alive.
    WorkersFailed {
        /// What happened.
        message: String,
    },
    /// A one-shot search can't go on.
    SearchFailed {
        /// What happened.
        message: String,
    },
}

impl StopReason {
    /// Whether `nas resume` continues from here without being asked for more budget.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        !matches!(
            self,
            Self::StrategyDone { .. } | Self::OnlyDuplicates { .. } | Self::OnlyRefusals { .. }
        )
    }

    /// Whether the search has come to an end of its own, and has its answer: then the holdout may be
    /// read for it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::Interrupted
                | Self::StopFile { .. }
                | Self::HeartbeatLapsed { .. }
                | Self::AwaitingApproval { .. }
                | Self::PluginFailed { .. }
                | Self::WorkersFailed { .. }
                | Self::SearchFailed { .. }
        )
    }
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StrategyDone { reason } => write!(out, "the strategy is done: {reason}"),
            Self::BudgetSpent { budget } => write!(out, "the budget of {budget} is spent"),
            Self::OnlyDuplicates { count } => {
                write!(out, "the last {count} proposals were duplicates: nothing new is left")
            }
            Self::OnlyRefusals { count } => {
                write!(out, "the last {count} proposals were refused or invalid")
            }
            Self::PolicyHalt { policy, code, reason } => {
                write!(out, "policy `{policy}` halted the run ({code}): {reason}")
            }
            Self::AwaitingApproval { policy, threshold, reason } => {
                write!(out, "policy `{policy}` asks for approval of {threshold}: {reason}")
            }
            Self::Interrupted => write!(out, "interrupted"),
            Self::StopFile { path } => write!(out, "the stop file `{}` is there", path.display()),
            Self::HeartbeatLapsed { interval } => {
                write!(out, "nobody gave a sign of life for {interval}")
            }
            Self::PluginFailed { component, message } => {
                write!(out, "`{component}` failed to {message}")
            }
            Self::WorkersFailed { message } => write!(out, "the workers failed: {message}"),
            Self::SearchFailed { message } => write!(out, "the search can't go on: {message}"),
        }
    }
}

impl std::fmt::Display for SearchEndReason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StrategyDone => write!(out, "the strategy derived its answer"),
            Self::Policy { policy, code, message } => {
                write!(out, "policy `{policy}` ended it ({code}): {message}")
            }
            Self::BudgetSpent { budget } => write!(out, "its budget of {budget} is spent"),
        }
    }
}
