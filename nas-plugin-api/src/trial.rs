//! Trials: what a strategy proposes and what it is told.

use serde::{Deserialize, Serialize};

use crate::genotype::Genotype;
use crate::measurement::{Cost, Measurements};

/// A trial's number in its run, counted from 0 in the order of proposals.
pub type TrialId = u64;

/// How thoroughly one trial is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// Epochs of training; 0 for a network that is measured as it was made ([`Self::UNTRAINED`]).
    pub epochs: u32,
    /// Share of the training split that is used, above 0 and at most 1.
    #[serde(default = "one")]
    pub data_fraction: f64,
}

impl Fidelity {
    /// No training: zero-cost proxies are taken from one batch, in milliseconds.
    ///
    /// The trial ends as [`Outcome::Untrained`], with those proxies as its measurements that can be
    /// computed for this network.
    pub const UNTRAINED: Self = Self { epochs: 0, data_fraction: 1.0 };

    /// Whether the network is not trained.
    #[must_use]
    pub fn is_untrained(&self) -> bool {
        self.epochs == 0
    }
}

fn one() -> f64 {
    1.0
}

/// One genotype that a strategy wants evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// What to evaluate.
    pub genotype: Genotype,
    /// How everything else is done.
    #[serde(flatten)]
    pub details: ProposalDetails,
}

/// Everything about a proposal but the genotype; most strategies leave it at its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProposalDetails {
    /// How thoroughly; the run's own fidelity where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Fidelity>,
    /// The trials it was made from, for the lineage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<TrialId>,
    /// Continue training from this trial's kept weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continue_from: Option<TrialId>,
    /// Evaluate this many times with different seeds and tell the mean; 0 counts as 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeats: u32,
    /// The generation it belongs to, from 0; policies look at progress once per generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// The strategy would answer with this genotype if the search ended now: it holds it for better
    /// than others that measured better by luck. Where it was evaluated before, asking again is
    /// free: the trial is told as a duplicate. The last such proposal counts.
    #[serde(skip_serializing_if = "is_false")]
    pub answer: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl From<Genotype> for Proposal {
    fn from(genotype: Genotype) -> Self {
        Self { genotype, details: ProposalDetails::default() }
    }
}

impl Proposal {
    /// The same proposal, as a child of these trials.
    #[must_use]
    pub fn with_parents(mut self, parents: &[TrialId]) -> Self {
        self.details.parents = parents.to_vec();
        self
    }

    /// The same proposal, as what the strategy would answer with now.
    #[must_use]
    pub fn as_answer(mut self) -> Self {
        self.details.answer = true;
        self
    }

    /// The same proposal, evaluated so thoroughly.
    #[must_use]
    pub fn at(mut self, fidelity: Fidelity) -> Self {
        self.details.fidelity = Some(fidelity);
        self
    }

    /// Whether only zero-cost proxies are asked for.
    #[must_use]
    pub fn is_untrained(&self) -> bool {
        self.details.fidelity.is_some_and(|fidelity| fidelity.is_untrained())
    }

    /// The same proposal, in this generation.
    #[must_use]
    pub fn in_generation(mut self, generation: u32) -> Self {
        self.details.generation = Some(generation);
        self
    }
}

/// How a trial ended. All of these are results; none is an error of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[repr(u8)]
pub enum Outcome {
    /// It was evaluated; objectives are present.
    Finished = 0,
    /// The same network was evaluated before; that trial's result is repeated here, and nothing
    /// was spent.
    Duplicate = 1,
    /// The gate or a policy refused it before anything was built.
    Refused = 2,
    /// A policy stopped it in training.
    Stopped = 3,
    /// Training gave numbers that are not finite, or a fitness score that is none.
    Diverged = 4,
    /// It needed more memory than it may have.
    OutOfMemory = 5,
    /// It took more time than it may.
    TimedOut = 6,
    /// Its worker died, or reported an error.
    Failed = 7,
    /// The genotype is none of the space.
    Invalid = 8,
    /// Zero-cost proxies were taken, and nothing was trained: there are measurements and no
    /// objectives.
    Untrained = 9,
}

impl Outcome {
    /// Every outcome, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Finished,
        Self::Duplicate,
        Self::Refused,
        Self::Stopped,
        Self::Diverged,
        Self::OutOfMemory,
        Self::TimedOut,
        Self::Failed,
        Self::Invalid,
        Self::Untrained,
    ];

    /// The outcome with this code; an unknown one, from a newer host, is `Failed`.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::Failed)
    }

    /// Whether objectives are present.
    #[must_use]
    pub fn has_result(self) -> bool {
        matches!(self, Self::Finished | Self::Duplicate)
    }

    /// The word used in the journal and the reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Diverged => "diverged",
            Self::OutOfMemory => "out_of_memory",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Untrained => "untrained",
        }
    }
}

/// A trial as its strategy is told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number in the run.
    pub id: TrialId,
    /// What was proposed.
    pub proposal: Proposal,
    /// How it ended.
    pub outcome: Outcome,
    /// One value per objective, in their order; empty unless the outcome has a result.
    pub objectives: Vec<f64>,
    /// Observed numbers; empty unless the outcome has a result or is [`Outcome::Untrained`].
    #[serde(default)]
    pub measurements: Measurements,
    /// The network's cost, if the genotype was valid.
    #[serde(default)]
    pub cost: Cost,
    /// Why it ended so, where there is more to say than the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
