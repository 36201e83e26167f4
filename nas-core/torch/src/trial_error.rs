//! Why a trial was given up.

use nas_core::protocol::Failure;
use tch::TchError;

use crate::checkpoint::CheckpointError;
use crate::limits::LimitError;
use crate::network::{NetworkError, first_line};
use crate::weights::WeightsError;

/// Why a trial was given up. The worker lives on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// A loss that is not finite.
    #[error(
        "{what} is not finite{}",
        epoch.map(|epoch| format!(" in epoch {epoch}")).unwrap_or_default()
    )]
    Diverged {
        /// Which loss.
        what: &'static str,
        /// The epoch, from 0, if in training.
        epoch: Option<u32>,
    },
    /// The trial asked for more than it may have.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The network can't be built or computed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Weights can't be kept or taken.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A training can't go on from its checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint has as many epochs as are wanted.
    #[error("{epochs} epochs are wanted, and {over} are over")]
    NothingLeft {
        /// Epochs of the trial.
        epochs: u32,
        /// Those of the checkpoint.
        over: u32,
    },
    /// libtorch failed outside the layers.
    #[error("{}", first_line(.0))]
    Torch(#[from] TchError),
    /// The network has no parameter.
    #[error("the network has no parameter to train")]
    NothingToTrain,
    /// The split is empty.
    #[error("the training split has no image")]
    NoImages,
    /// An audit's worker was asked to train.
    #[error("this worker was set up without a training split")]
    NoTrainingSplit,
    /// The supervisor can't be told of an epoch.
    #[error("tell the supervisor: {0}")]
    Pipe(#[from] std::io::Error),
}

impl TrialError {
    /// What kind of failure this is.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Diverged { .. } => Failure::Diverged,
            Self::Limit(LimitError::OutOfTime { .. }) => Failure::OutOfTime,
            Self::Limit(LimitError::OutOfMemory { .. }) => Failure::OutOfMemory,
            Self::Network(
                NetworkError::Layer { source, .. } | NetworkError::Parameters { source },
            )
            | Self::Torch(source)
                if is_out_of_memory(source) =>
            {
                Failure::OutOfMemory
            }
            _ => Failure::Error,
        }
    }
}

/// libtorch has no error code; these are the words of its allocators.
pub(crate) fn is_out_of_memory(error: &TchError) -> bool {
    let text = error.to_string();
    ["not enough memory", "can't allocate memory", "out of memory", "bad_alloc"]
        .iter()
        .any(|words| text.contains(words))
}
