//! The whole state of a search in one file.
//!
//! A safetensors file: the weights by name, from which [`crate::weights::inherit`] takes some; their
//! momentum as it lies in memory, the running statistics, and as bytes of JSON everything else. It is
//! written under another name, flushed, and renamed into place.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nas_core::digest::sha256_of;
use nas_core::protocol::one_shot::Checkpoint;
use serde::{Deserialize, Serialize};
use tch::{Kind, TchError, Tensor};

use super::SearchError;
use super::form::Form;
use crate::parameters::NamedTensor;
use crate::supernet::Supernet;

/// Everything that is no tensor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The epoch that ended.
    pub(super) epoch: u32,
    pub(super) form: Form,
    /// What the strategy saved.
    pub(super) strategy: Vec<u8>,
}

// Names of parameters end in `.weight` or `.bias`.
const VELOCITY: &str = "velocity";
const STATISTICS: &str = "statistics";
const STATE: &str = "state";

/// Writes a checkpoint into its folder.
pub(super) fn write(
    folder: &Path,
    supernet: &Supernet,
    state: &State,
) -> Result<Checkpoint, SearchError> {
    let waiting = folder.join(format!(".epoch_{}.part", state.epoch));
    let wrong = |what: String| SearchError::Checkpoint { path: waiting.clone(), what };
    let text = serde_json::to_vec(state).map_err(|error| wrong(error.to_string()))?;
    let parameters = supernet.network().parameters();
    let mut statistics: Vec<Tensor> =
        parameters.statistics().iter().map(|kept| kept.tensor.shallow_clone()).collect();
    if statistics.is_empty() {
        statistics.push(Tensor::f_zeros([0], (Kind::Float, tch::Device::Cpu))?);
    }
    let weights = parameters
        .learnt()
        .iter()
        .map(|learnt| Ok((learnt.name.as_str(), learnt.tensor.f_detach()?.f_contiguous()?)));
    let mut named = weights.collect::<Result<Vec<_>, TchError>>()?;
    named.extend([
        (VELOCITY, supernet.optimizer().velocity().shallow_clone()),
        (STATISTICS, Tensor::f_cat(&statistics, 0)?),
        (STATE, Tensor::f_from_slice(&text)?),
    ]);
    Tensor::write_safetensors(&named, &waiting).map_err(|error| wrong(error.to_string()))?;
    let sha256 = sha256_of(&waiting).map_err(|error| wrong(error.to_string()))?;
    let file = format!("epoch_{}_{}.safetensors", state.epoch, &sha256[..8]);
    let place = || -> io::Result<()> {
        File::open(&waiting)?.sync_all()?;
        std::fs::rename(&waiting, folder.join(&file))?;
        File::open(folder)?.sync_all()
    };
    place().map_err(|error| wrong(error.to_string()))?;
    Ok(Checkpoint { epoch: state.epoch, file, sha256 })
}

/// Reads what is no tensor; [`Numbers::restore`] sets the rest in a supernet of that form.
pub(super) fn read(
    folder: &Path,
    checkpoint: &Checkpoint,
) -> Result<(State, Numbers), SearchError> {
    let path = folder.join(&checkpoint.file);
    let wrong = |what: String| SearchError::Checkpoint { path: path.clone(), what };
    let found = sha256_of(&path).map_err(|error| wrong(error.to_string()))?;
    if found != checkpoint.sha256 {
        return Err(wrong(format!(
            "its sha256 is {found}, but {} was journalled: the file was changed or damaged",
            checkpoint.sha256
        )));
    }
    let tensors = Tensor::read_safetensors(&path).map_err(|error| wrong(error.to_string()))?;
    let mut weights: HashMap<String, Tensor> = tensors.into_iter().collect();
    let mut take =
        |name: &str| weights.remove(name).ok_or_else(|| wrong(format!("it has no `{name}`")));
    let [text, velocity, statistics] = [take(STATE)?, take(VELOCITY)?, take(STATISTICS)?];
    let text = Vec::<u8>::try_from(text).map_err(|error| wrong(error.to_string()))?;
    let state: State = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    Ok((state, Numbers { path: path.clone(), weights, velocity, statistics }))
}

/// The tensors of a checkpoint.
#[derive(Debug)]
pub(super) struct Numbers {
    path: PathBuf,
    weights: HashMap<String, Tensor>,
    velocity: Tensor,
    statistics: Tensor,
}

impl Numbers {
    /// Sets all numbers of a supernet of the same form.
    pub(super) fn restore(&self, supernet: &mut Supernet) -> Result<(), SearchError> {
        let _no_grad = tch::no_grad_guard();
        let wrong =
            |what: &str| SearchError::Checkpoint { path: self.path.clone(), what: what.into() };
        let parameters = supernet.network().parameters();
        let n_statistics: i64 = parameters.statistics().iter().map(|s| s.tensor.size()[0]).sum();
        let own = |learnt: &NamedTensor| {
            let kept = self.weights.get(&learnt.name)?;
            (kept.size() == learnt.tensor.size()).then_some(kept)
        };
        if parameters.values().size() != self.velocity.size()
            || self.statistics.size() != [n_statistics]
            || !parameters.learnt().iter().all(|learnt| own(learnt).is_some())
        {
            return Err(wrong("it belongs to another supernet"));
        }
        for learnt in parameters.learnt() {
            if let Some(kept) = own(learnt) {
                learnt.tensor.shallow_clone().f_copy_(kept)?;
            }
        }
        let mut start = 0;
        for kept in parameters.statistics() {
            let length = kept.tensor.size()[0];
            let from = self.statistics.f_narrow(0, start, length)?;
            kept.tensor.shallow_clone().f_copy_(&from)?;
            start += length;
        }
        supernet.optimizer_mut().velocity_mut().f_copy_(&self.velocity)?;
        Ok(())
    }
}

/// The newest checkpoint of an epoch in a folder, for a roll-back to what another worker wrote.
pub(super) fn find(folder: &Path, epoch: u32) -> Option<Checkpoint> {
    let prefix = format!("epoch_{epoch}_");
    let newest = std::fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .max_by_key(|entry| entry.metadata().and_then(|data| data.modified()).ok())?;
    let sha256 = sha256_of(&newest.path()).ok()?;
    Some(Checkpoint { epoch, file: newest.file_name().to_string_lossy().into_owned(), sha256 })
}
