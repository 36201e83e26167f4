//! How a one-shot search began and ended.

use nas_plugin_api::genotype::Genotype;
use serde::{Deserialize, Serialize};

use crate::protocol::Usage;

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
