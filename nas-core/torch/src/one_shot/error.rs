//! Why a one-shot search can't go on.

use std::path::PathBuf;

use nas_core::network::NetworkError as SpaceError;
use nas_core::one_shot::PartsError;
use nas_core::protocol::Failure;
use nas_plugin_api::error::PluginError;
use tch::TchError;

use crate::limits::LimitError;
use crate::network::{NetworkError, first_line};
use crate::supernet::SupernetError;

/// Why a one-shot search can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A component can't be loaded or created.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// The space can't be read as a supernet.
    #[error("this space makes no supernet: {0}")]
    Space(#[from] SpaceError),
    /// An operation can't be built to be measured.
    #[error("measure what operations cost: {0}")]
    Network(#[source] NetworkError),
    /// The strategy failed.
    #[error("strategy `{strategy}`: {source}")]
    Strategy {
        /// Its name.
        strategy: String,
        /// What it said.
        source: PluginError,
    },
    /// The strategy commands what can't be done.
    #[error("strategy `{strategy}` {what}")]
    Command {
        /// Its name.
        strategy: String,
        /// What is wrong with it.
        what: String,
    },
    /// A step failed.
    #[error("epoch {epoch}, step {step}: {source}")]
    Step {
        /// The epoch.
        epoch: u32,
        /// Training steps of it that were done.
        step: u32,
        /// Why.
        source: SupernetError,
    },
    /// A batch is larger than a split.
    #[error(
        "a batch of {batch_size} images is larger than the {split} split, which has {n_images}: \
         lower the batch size, or give the split more images"
    )]
    Batch {
        /// Images of a batch.
        batch_size: usize,
        /// Which split.
        split: &'static str,
        /// Its images.
        n_images: usize,
    },
    /// There is no training split.
    #[error("the worker was set up without a training split")]
    NoTrainingSplit,
    /// A limit was reached.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A checkpoint can't be written or read.
    #[error("checkpoint {}: {what}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// libtorch refused something.
    #[error("{}", first_line(.0))]
    Torch(#[from] TchError),
    /// The supervisor is gone.
    #[error("the supervisor is gone: {0}")]
    Supervisor(std::io::Error),
}

impl SearchError {
    /// What kind of failure this is to the supervisor.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let torch = match self {
            Self::Limit(LimitError::OutOfTime { .. }) => return Failure::OutOfTime,
            Self::Limit(LimitError::OutOfMemory { .. }) => return Failure::OutOfMemory,
            Self::Step { source: SupernetError::Diverged { .. }, .. } => return Failure::Diverged,
            Self::Torch(source) => Some(source),
            Self::Step { source: SupernetError::Torch(source), .. } => Some(source),
            Self::Step {
                source:
                    SupernetError::Network(
                        NetworkError::Layer { source, .. } | NetworkError::Parameters { source },
                    ),
                ..
            } => Some(source),
            _ => None,
        };
        match torch {
            Some(source) if crate::trial_error::is_out_of_memory(source) => Failure::OutOfMemory,
            _ => Failure::Error,
        }
    }

    /// The component to blame, so that trying again would not help.
    #[must_use]
    pub fn component(&self) -> Option<String> {
        match self {
            Self::Strategy { strategy, .. } | Self::Command { strategy, .. } => {
                Some(strategy.clone())
            }
            Self::Step { source: SupernetError::Mixture(_), .. } => Some("strategy".into()),
            Self::Parts(_) | Self::Space(_) => Some("components".into()),
            Self::Batch { .. } => Some("configuration".into()),
            _ => None,
        }
    }
}
