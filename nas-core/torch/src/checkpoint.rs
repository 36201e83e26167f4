//! Where a training stands, in one file: weights, running statistics, what the optimiser remembers,
//! the epochs that are over, and the seed that everything random follows from.
//!
//! A safetensors file, which appears under its name only when it is complete.

use std::collections::HashMap;
use std::path::Path;

use nas_core::digest::sha256_of;
use nas_core::protocol::KeptTraining;
use serde::{Deserialize, Serialize};
use tch::{Device, TchError, Tensor};

use crate::network::{Network, first_line};
use crate::optimizer::Optimizer;
use crate::weights::{self, WeightsError};

/// The part of a checkpoint that is no tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs that are over.
    pub epochs: u32,
    /// Seed of the order of images, their augmentation, dropout and drop path.
    pub seed: u64,
    /// Steps that the optimiser took, where it counts them.
    #[serde(default)]
    optimizer_steps: i32,
}

/// Why a training can't go on from a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Weights can't be kept or taken.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The file is not what was journalled, or belongs to another training.
    #[error("go on from {path}: {what}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

// Names of parameters and statistics have a dot; these have none.
const BUFFER: &str = "optimizer_";
const PROGRESS: &str = "progress";

impl Progress {
    /// A training with this seed after so many epochs.
    #[must_use]
    pub fn after(epochs: u32, seed: u64) -> Self {
        Self { epochs, seed, optimizer_steps: 0 }
    }
}

/// Writes a checkpoint after `progress.epochs` epochs.
///
/// # Errors
/// [`CheckpointError::Weights`].
pub fn save(
    network: &Network,
    optimizer: &dyn Optimizer,
    progress: Progress,
    path: &Path,
) -> Result<(), CheckpointError> {
    let progress = Progress { optimizer_steps: optimizer.steps(), ..progress };
    let text = serde_json::to_vec(&progress).unwrap_or_default();
    let rest = || -> Result<Vec<(String, Tensor)>, TchError> {
        let mut rest = vec![(PROGRESS.to_owned(), Tensor::f_from_slice(&text)?)];
        for (index, buffer) in optimizer.buffers().into_iter().enumerate() {
            rest.push((format!("{BUFFER}{index}"), buffer.f_to_device(Device::Cpu)?));
        }
        Ok(rest)
    };
    let rest = rest().map_err(|source| WeightsError::File { path: path.to_owned(), source })?;
    Ok(weights::save_with(network, rest, path)?)
}

/// Sets a network of the same graph and an optimiser of the same kind to where a training stood.
///
/// # Errors
/// [`CheckpointError`]; network and optimiser may then hold some of the file's numbers.
pub fn load(
    network: &mut Network,
    optimizer: &mut dyn Optimizer,
    kept: &KeptTraining,
) -> Result<Progress, CheckpointError> {
    let path = &kept.file;
    let wrong = |what: String| CheckpointError::Unusable { path: path.display().to_string(), what };
    let found = sha256_of(path).map_err(|error| wrong(error.to_string()))?;
    if found != kept.sha256 {
        return Err(wrong(format!(
            "its sha256 is {found}, but {} was journalled: the file was changed or damaged",
            kept.sha256
        )));
    }
    weights::load(network, path)?;
    let torch = |error: TchError| wrong(first_line(&error));
    let stored: HashMap<String, Tensor> =
        Tensor::read_safetensors(path).map_err(torch)?.into_iter().collect();
    let take = |name: String| stored.get(&name).ok_or_else(|| wrong(format!("it has no `{name}`")));
    for (index, mut buffer) in optimizer.buffers().into_iter().enumerate() {
        let stored = take(format!("{BUFFER}{index}"))?;
        if stored.size() != buffer.size() {
            return Err(wrong("its optimiser is another one".to_owned()));
        }
        tch::no_grad(|| buffer.f_copy_(stored)).map_err(torch)?;
    }
    let text = Vec::<u8>::try_from(take(PROGRESS.to_owned())?).map_err(torch)?;
    let progress: Progress =
        serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    optimizer.set_steps(progress.optimizer_steps);
    Ok(progress)
}
