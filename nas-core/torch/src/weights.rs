//! Trained weights as safetensors files: learnt parameters and running statistics by name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tch::{Device, Kind, TchError, Tensor};

use crate::network::{Network, first_line};
use crate::parameters::NamedTensor;

/// Why weights could not be kept or taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file can't be written.
    #[error("write weights to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// libtorch or safetensors refused the file.
    #[error("weights in {}: {}", path.display(), first_line(source))]
    File {
        /// The file.
        path: PathBuf,
        /// What was said.
        source: TchError,
    },
    /// The file belongs to another network.
    #[error("weights in {} have no `{name}`: they belong to another network", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The parameter that is not there.
        name: String,
    },
    /// The file belongs to another network.
    #[error(
        "weights in {}: `{name}` has shape {found:?}, this network needs {expected:?}",
        path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// The parameter in question.
        name: String,
        /// Its shape in the file.
        found: Vec<i64>,
        /// Its shape in the network.
        expected: Vec<i64>,
    },
}

/// Writes a network's weights. The file appears under its name only when it is complete.
///
/// # Errors
/// [`WeightsError::Write`], [`WeightsError::File`].
pub fn save(network: &Network, path: &Path) -> Result<(), WeightsError> {
    save_with(network, Vec::new(), path)
}

/// The same with more tensors, whose names are none of the network's.
pub(crate) fn save_with(
    network: &Network,
    more: Vec<(String, Tensor)>,
    path: &Path,
) -> Result<(), WeightsError> {
    let file_error = |source| WeightsError::File { path: path.to_owned(), source };
    let write_error = |source| WeightsError::Write { path: path.to_owned(), source };
    let mut tensors = named(network)
        .map(|NamedTensor { name, tensor }| {
            let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?;
            Ok((name.as_str(), tensor.f_to_kind(Kind::Float)?.f_contiguous()?))
        })
        .collect::<Result<Vec<_>, TchError>>()
        .map_err(file_error)?;
    tensors.extend(more.iter().map(|(name, tensor)| (name.as_str(), tensor.shallow_clone())));
    // Two attempts of one trial may run at once; each writes a file of its own before the rename.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.part", std::process::id()));
    let temporary = PathBuf::from(temporary);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(write_error)?;
    }
    Tensor::write_safetensors(&tensors, &temporary).map_err(file_error)?;
    std::fs::File::open(&temporary)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(write_error)
}

/// Replaces a network's weights by those of a file, which must hold them all.
///
/// # Errors
/// [`WeightsError::File`], [`WeightsError::Missing`], [`WeightsError::Shape`]; the network may
/// then hold some of the file's weights.
pub fn load(network: &mut Network, path: &Path) -> Result<(), WeightsError> {
    let file_error = |source| WeightsError::File { path: path.to_owned(), source };
    let stored: HashMap<String, Tensor> =
        Tensor::read_safetensors(path).map_err(file_error)?.into_iter().collect();
    for NamedTensor { name, tensor } in named(network) {
        let Some(weights) = stored.get(name) else {
            return Err(WeightsError::Missing { path: path.to_owned(), name: name.clone() });
        };
        let (found, expected) = (weights.size(), tensor.size());
        if found != expected {
            let (path, name) = (path.to_owned(), name.clone());
            return Err(WeightsError::Shape { path, name, found, expected });
        }
        tch::no_grad(|| tensor.shallow_clone().f_copy_(weights)).map_err(file_error)?;
    }
    Ok(())
}

/// Gives a network the weights that it shares with a supernet, from a checkpoint of the latter.
///
/// Where the supernet has more channels, its first ones are taken, which are those that a width
/// mask lets through. Running statistics stay as they are: inherited ones would be of no use.
///
/// # Errors
/// As [`load`].
pub fn inherit(network: &mut Network, checkpoint: &Path) -> Result<(), WeightsError> {
    let file_error = |source| WeightsError::File { path: checkpoint.to_owned(), source };
    let stored: HashMap<String, Tensor> =
        Tensor::read_safetensors(checkpoint).map_err(file_error)?.into_iter().collect();
    for NamedTensor { name, tensor } in network.parameters().learnt() {
        let Some(weights) = stored.get(name) else {
            return Err(WeightsError::Missing { path: checkpoint.to_owned(), name: name.clone() });
        };
        let (found, expected) = (weights.size(), tensor.size());
        let holds = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, expected)| found >= expected);
        if !holds {
            let (path, name) = (checkpoint.to_owned(), name.clone());
            return Err(WeightsError::Shape { path, name, found, expected });
        }
        let copy = || {
            let mut first = weights.shallow_clone();
            for (axis, &length) in (0..).zip(&expected) {
                first = first.f_narrow(axis, 0, length)?;
            }
            tensor.shallow_clone().f_copy_(&first)
        };
        tch::no_grad(copy).map_err(file_error)?;
    }
    Ok(())
}

fn named(network: &Network) -> impl Iterator<Item = &NamedTensor> {
    network.parameters().learnt().iter().chain(network.parameters().statistics())
}
