//! The exit codes of `nas`: one table, which the book includes.

use std::process;

use nas_core::journal::StopReason;

/// How a command ended, for scripts. The numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// It did what it was asked to; of a search: it has a best network.
    Success,
    /// A mistake in this program.
    Internal,
    /// The command line or the configuration is wrong; nothing was run.
    Configuration,
    /// A plugin can't be loaded, or failed.
    Plugin,
    /// The data can't be read, or are not what they should be.
    Data,
    /// The search is over and no trial has a result.
    NothingFound,
    /// A policy halted the search, or waits for approval.
    Policy,
    /// The search was interrupted; `nas resume` goes on.
    Interrupted,
    /// There is no such run, or its journal can't be read or is not what was written.
    Run,
    /// Another process is working on the run.
    InUse,
    /// No worker can be started or kept alive.
    Workers,
    /// A file can't be read or written.
    Files,
    /// Nobody gave the run a sign of life in time.
    NoHeartbeat,
}

impl ExitCode {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 13] = [
        Self::Success,
        Self::Internal,
        Self::Configuration,
        Self::Plugin,
        Self::Data,
        Self::NothingFound,
        Self::Policy,
        Self::Interrupted,
        Self::Run,
        Self::InUse,
        Self::Workers,
        Self::Files,
        Self::NoHeartbeat,
    ];

    /// The number that the shell sees.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// What it means, in one line.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "it did what it was asked to; a search has a best network",
            Self::Internal => "a mistake in `nas` itself",
            Self::Configuration => "the command line or the configuration is wrong; nothing ran",
            Self::Plugin => "a plugin can't be loaded, or failed",
            Self::Data => "the data can't be read, or are not what they should be",
            Self::NothingFound => "the search is over and no trial has a result",
            Self::Policy => {
                "a policy halted the search for another reason than `converged`, or waits for \
                 approval; or the organisation's policy can't be used"
            }
            Self::Interrupted => "the search was interrupted; `nas resume` goes on",
            Self::Run => {
                "there is no such run, or its journal can't be read or is not what was written"
            }
            Self::InUse => "another process is working on the run",
            Self::Workers => {
                "no worker can be started or kept alive, or a one-shot search could not go on"
            }
            Self::Files => "a file can't be read or written",
            Self::NoHeartbeat => {
                "nobody gave the run a sign of life in time; `nas heartbeat`, then `nas resume`"
            }
        }
    }

    /// What a search ends with.
    ///
    /// A policy that halts with the code `converged` has found what was looked for; every other
    /// halt is an objection.
    pub(crate) fn of_search(reason: &StopReason, has_champion: bool) -> Self {
        match reason {
            StopReason::PolicyHalt { code, .. } if code == "converged" && has_champion => {
                Self::Success
            }
            StopReason::PolicyHalt { .. } | StopReason::AwaitingApproval { .. } => Self::Policy,
            StopReason::Interrupted | StopReason::StopFile { .. } => Self::Interrupted,
            StopReason::HeartbeatLapsed { .. } => Self::NoHeartbeat,
            StopReason::PluginFailed { .. } => Self::Plugin,
            StopReason::WorkersFailed { .. } | StopReason::SearchFailed { .. } => Self::Workers,
            _ if has_champion => Self::Success,
            _ => Self::NothingFound,
        }
    }

    /// Ends the process.
    pub(crate) fn exit(self) -> ! {
        process::exit(i32::from(self.number()))
    }
}
