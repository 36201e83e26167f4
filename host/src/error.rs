//! Why a command can't do what it was asked, and the exit code of each reason.

use std::io;
use std::path::PathBuf;

use nas_core::bench::BenchError;
use nas_core::budget::QuotaError;
use nas_core::executor::ExecutorError;
use nas_core::journal::{AnchorError, Finding, JournalError};
use nas_core::launch::{LaunchError, RunFolderError};
use nas_core::network::NetworkError;
use nas_core::organisation::OrganisationError;
use nas_core::plugin::PluginLoadError;
use nas_core::search::SearchError;

use crate::configuration::Faults;
use crate::exit_code::ExitCode;

/// Why a command can't do what it was asked. Messages are complete lines for a person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    /// The configuration, the command line's part of it included, is wrong.
    #[error("{0}")]
    Configuration(Faults),
    /// What was asked makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A file can't be read or written.
    #[error("can't {what} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A plugin can't be used.
    #[error("failed to {0}")]
    Plugin(Box<PluginLoadError>),
    /// The space and its operations make no network.
    #[error("{0}")]
    Network(Box<NetworkError>),
    /// There is no such run.
    #[error("{0}")]
    Run(#[from] RunFolderError),
    /// A run's journal can't be read.
    #[error("failed to {0}")]
    Journal(#[from] JournalError),
    /// The anchor can't be read.
    #[error("failed to {0}")]
    Anchor(#[from] AnchorError),
    /// A journal is not what was written.
    #[error("the journal of `{run}` is not what its supervisor wrote: {}", list(findings))]
    Tampered {
        /// The run.
        run: String,
        /// What was done to it.
        findings: Vec<Finding>,
    },
    /// The organisation's policy can't be used.
    #[error("{0}")]
    Organisation(#[from] OrganisationError),
    /// A quota can't be read.
    #[error("failed to {0}")]
    Quota(#[from] QuotaError),
    /// A search can't start or go on.
    #[error("{0}")]
    Launch(Box<LaunchError>),
    /// A strategy can't be scored on a benchmark.
    #[error("{0}")]
    Bench(Box<BenchError>),
    /// No worker.
    #[error("failed to {0}")]
    Workers(#[from] ExecutorError),
    /// The system gives no signal handler.
    #[error("can't listen to signals: {0}")]
    Signals(io::Error),
}

/// One line each.
fn list(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {finding}")).collect()
}

impl From<PluginLoadError> for HostError {
    fn from(error: PluginLoadError) -> Self {
        Self::Plugin(Box::new(error))
    }
}

impl From<NetworkError> for HostError {
    fn from(error: NetworkError) -> Self {
        Self::Network(Box::new(error))
    }
}

impl From<LaunchError> for HostError {
    fn from(error: LaunchError) -> Self {
        Self::Launch(Box::new(error))
    }
}

impl HostError {
    /// The exit code for scripts.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(faults) => faults.exit_code(),
            Self::Usage { .. } => ExitCode::Configuration,
            Self::File { .. } | Self::Signals(_) | Self::Anchor(_) | Self::Quota(_) => {
                ExitCode::Files
            }
            Self::Plugin(_) | Self::Network(_) | Self::Bench(_) => ExitCode::Plugin,
            Self::Run(_) | Self::Tampered { .. } => ExitCode::Run,
            Self::Journal(error) => of_journal(error),
            Self::Workers(_) => ExitCode::Workers,
            Self::Organisation(_) => ExitCode::Policy,
            Self::Launch(error) => of_launch(error),
        }
    }
}

fn of_journal(error: &JournalError) -> ExitCode {
    match error {
        JournalError::InUse { .. } => ExitCode::InUse,
        JournalError::ReadOnly { .. } | JournalError::DiskFull { .. } => ExitCode::Files,
        _ => ExitCode::Run,
    }
}

fn of_launch(error: &LaunchError) -> ExitCode {
    match error {
        LaunchError::Folder(_) | LaunchError::NeverBegan { .. } | LaunchError::Tampered { .. } => {
            ExitCode::Run
        }
        LaunchError::Anchor(_)
        | LaunchError::Quota(_)
        | LaunchError::Search(SearchError::Quota(_)) => ExitCode::Files,
        LaunchError::Journal(error) | LaunchError::Search(SearchError::Journal(error)) => {
            of_journal(error)
        }
        LaunchError::Executor(_) | LaunchError::Search(SearchError::Executor(_)) => {
            ExitCode::Workers
        }
        LaunchError::Settings(_)
        | LaunchError::NothingToDecide { .. }
        | LaunchError::NoDay { .. } => ExitCode::Configuration,
        LaunchError::Refused { .. }
        | LaunchError::NoOrganisation { .. }
        | LaunchError::AwaitsApproval { .. }
        | LaunchError::Denied { .. }
        | LaunchError::Organisation(_)
        | LaunchError::WantsSignature { .. }
        | LaunchError::WrongSignature { .. }
        | LaunchError::Expired { .. } => ExitCode::Policy,
        LaunchError::NoHeartbeat { .. } => ExitCode::NoHeartbeat,
        LaunchError::Changed { .. } | LaunchError::Search(_) => ExitCode::Plugin,
        _ => ExitCode::Internal,
    }
}
