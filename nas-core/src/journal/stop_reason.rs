//! Why a run is over.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::time_span::TimeSpan;

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
