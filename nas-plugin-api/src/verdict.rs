//! What a safety policy is asked and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::genotype::Genotype;
use crate::measurement::{Cost, Measurements};
use crate::trial::{Outcome, TrialId};

/// A policy's answer. Of several policies the strictest wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is to be done.
    pub action: Action,
    /// A short, stable word for the rule that decided (`parameter_limit`).
    #[serde(default)]
    pub code: String,
    /// Why, for a person.
    #[serde(default)]
    pub reason: String,
    /// The numbers that the reason rests on.
    #[serde(default)]
    pub evidence: BTreeMap<String, f64>,
}

/// Names of evidence that the core obeys, besides showing it.
pub mod evidence {
    /// Beside [`super::Action::RollBack`]: the one-shot search goes on from that epoch, and its
    /// network weights decay so many times as strongly as before. Without this evidence it ends
    /// there, and the genotype of that epoch is its answer.
    pub const WEIGHT_DECAY_FACTOR: &str = "weight_decay_factor";
}

/// What is to be done, from mild to strict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Nothing.
    Allow,
    /// Tell the user.
    Warn,
    /// Refuse this candidate, or its result; the search goes on.
    RejectCandidate,
    /// Stop this trial; the search goes on.
    StopTrial,
    /// Go back to the end of this epoch of a one-shot search, and end it there or go on
    /// ([`evidence::WEIGHT_DECAY_FACTOR`]).
    RollBack {
        /// The epoch, from 0.
        epoch: u32,
    },
    /// Wait until a person approves.
    PauseForApproval {
        /// What is to be approved (`cost`, `scale`, …).
        threshold: String,
        /// Whose key must sign, where a signature is required.
        signer: Option<String>,
    },
    /// End the search.
    HaltRun,
}

impl Action {
    /// How strict: larger is stricter.
    #[must_use]
    pub fn severity(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Warn => 1,
            Self::RejectCandidate => 2,
            Self::StopTrial => 3,
            Self::RollBack { .. } => 4,
            Self::PauseForApproval { .. } => 5,
            Self::HaltRun => 6,
        }
    }
}

impl Verdict {
    /// Nothing to object.
    #[must_use]
    pub fn allow() -> Self {
        Self {
            action: Action::Allow,
            code: String::new(),
            reason: String::new(),
            evidence: BTreeMap::new(),
        }
    }

    /// Any other answer.
    #[must_use]
    pub fn new(action: Action, code: &str, reason: impl Into<String>) -> Self {
        Self { action, code: code.to_owned(), reason: reason.into(), evidence: BTreeMap::new() }
    }

    /// Adds a number that the reason rests on.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.evidence.insert(name.to_owned(), value);
        self
    }

    /// The stricter of two answers; the first where they are equally strict.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        match other.action.severity() > self.action.severity() {
            true => other,
            false => self,
        }
    }
}

/// What a policy is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Question {
    /// May this search begin at all?
    Plan(Plan),
    /// May this network be built and trained?
    Candidate(Candidate),
    /// May the search go on? Asked once a generation, or once an epoch of a one-shot search.
    Progress(Progress),
    /// May this result count?
    Review(Review),
    /// May this be the search's answer?
    Champion(Review),
    /// May this network leave the run's folder?
    Export(Review),
    /// May a search that ended or was cut off go on?
    Resume(Plan),
}

/// The kind of a [`Question`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuestionKind {
    /// [`Question::Plan`]
    Plan,
    /// [`Question::Candidate`]
    Candidate,
    /// [`Question::Progress`]
    Progress,
    /// [`Question::Review`]
    Review,
    /// [`Question::Champion`]
    Champion,
    /// [`Question::Export`]
    Export,
    /// [`Question::Resume`]
    Resume,
}

impl QuestionKind {
    /// Every kind that this version asks.
    pub const ALL: [Self; 7] = [
        Self::Plan,
        Self::Candidate,
        Self::Progress,
        Self::Review,
        Self::Champion,
        Self::Export,
        Self::Resume,
    ];
}

impl Question {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> QuestionKind {
        match self {
            Self::Plan(_) => QuestionKind::Plan,
            Self::Candidate(_) => QuestionKind::Candidate,
            Self::Progress(_) => QuestionKind::Progress,
            Self::Review(_) => QuestionKind::Review,
            Self::Champion(_) => QuestionKind::Champion,
            Self::Export(_) => QuestionKind::Export,
            Self::Resume(_) => QuestionKind::Resume,
        }
    }

    /// The trial that it is about, if it is about one.
    #[must_use]
    pub fn trial(&self) -> Option<TrialId> {
        match self {
            Self::Candidate(candidate) => Some(candidate.trial),
            Self::Review(review) | Self::Champion(review) | Self::Export(review) => {
                Some(review.candidate.trial)
            }
            Self::Plan(_) | Self::Progress(_) | Self::Resume(_) => None,
        }
    }
}

/// A search that is about to begin or to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The strategy's name.
    pub strategy: String,
    /// The space's name.
    pub space: String,
    /// Number of genotypes of the space.
    pub space_size: f64,
    /// Epochs of one trial.
    pub epochs: u32,
    /// Trials at once.
    pub workers: u32,
}

/// A network that is proposed, as it stands before anything is built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Candidate {
    /// The trial's number.
    pub trial: TrialId,
    /// The genotype.
    pub genotype: Genotype,
    /// What it costs.
    pub cost: Cost,
    /// How often each operation is part of the network, by name.
    pub operations: BTreeMap<Arc<str>, u32>,
    /// The trials that it was made from.
    pub parents: Vec<TrialId>,
}

/// How far a search has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// What is counted: `generation`, `epoch`, or `trials`.
    pub unit: String,
    /// How many of them are over; this question is about the last of them.
    pub completed: u32,
    /// The best first objective of this unit, turned so that larger is better.
    pub best: f64,
    /// The best first objective of the whole search so far, turned so that larger is better.
    pub best_so_far: f64,
    /// Mean first objective of this unit, turned so that larger is better.
    pub mean: f64,
    /// Signals of a one-shot search by name (share of skips, entropy, …).
    pub signals: BTreeMap<String, f64>,
}

/// A result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The candidate.
    pub candidate: Candidate,
    /// How its trial ended.
    pub outcome: Outcome,
    /// What was observed.
    pub measurements: Measurements,
    /// One value per objective.
    pub objectives: Vec<f64>,
}

/// What every question comes with: how the search stood when its strategy was last asked, so that
/// a search that is taken up again shows its policies the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyContext {
    /// Seconds with a live supervisor.
    pub elapsed_seconds: f64,
    /// What the search has spent.
    pub spent: Spending,
    /// What it may spend; absent numbers have no limit.
    pub budget: BTreeMap<String, f64>,
    /// What has been approved; of what was signed, with the key too ([`Self::is_approved`]).
    pub approvals: Vec<String>,
    /// How trials have ended so far.
    pub history: History,
    /// Reads of the holdout so far, in order; the only part that can be newer than the last ask.
    pub holdout: Vec<HoldoutReading>,
}

/// A network that was the best of its search, read on the holdout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HoldoutReading {
    /// Its trial.
    pub trial: TrialId,
    /// Trials that had a result of their own by then: it was the best of so many.
    pub trials: u64,
    /// How often the run may read the holdout in all.
    pub queries: u32,
    /// Accuracy on the validation split, 0 to 1.
    pub validation_accuracy: f64,
    /// Accuracy on the holdout, 0 to 1.
    pub holdout_accuracy: f64,
    /// Images of the validation split; 0 where a benchmark answers and nobody knows.
    pub validation_images: u64,
    /// Images of the holdout; 0 where nobody knows.
    pub holdout_images: u64,
}

impl PolicyContext {
    /// Notes that this was approved, and signed with this key.
    pub fn approve(&mut self, threshold: &str, key: Option<&str>) {
        self.approvals.push(threshold.to_owned());
        self.approvals.extend(key.map(|key| signed(threshold, key)));
    }

    /// Whether this was approved, with this key's signature where one is wanted.
    #[must_use]
    pub fn is_approved(&self, threshold: &str, signer: Option<&str>) -> bool {
        match signer {
            None => self.approvals.iter().any(|approved| approved == threshold),
            Some(key) => self.approvals.contains(&signed(threshold, key)),
        }
    }
}

/// An approval that was signed.
fn signed(threshold: &str, key: &str) -> String {
    format!("{threshold} signed with {key}")
}

/// What a search has spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spending {
    /// Trials that were dispatched.
    pub trials: u64,
    /// Wall seconds with a live supervisor.
    pub wall_seconds: f64,
    /// Processor seconds of all workers.
    pub cpu_seconds: f64,
    /// Seconds of GPU of all workers.
    pub gpu_seconds: f64,
    /// Energy in kilowatt-hours, by the watts that the budget has for processors and GPUs.
    pub energy_kwh: f64,
    /// Money, by the budget's prices.
    pub money: f64,
}

/// How trials have ended so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Proposals so far.
    pub proposed: u64,
    /// Trials by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// The best first objective so far, turned so that larger is better.
    pub best: Option<f64>,
}
