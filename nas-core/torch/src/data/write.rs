//! Prepared files: safetensors, durable and whole or not there at all.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nas_core::digest::sha256_of;
use nas_core::protocol::data::SplitFile;
use safetensors::tensor::{Dtype, View};

use super::DataError;
use super::images::Images;
use super::normalization::Normalization;

/// Writes some of the images as `NAME.safetensors` in a folder; the same images give the same
/// bytes.
///
/// The file appears under its name only when it is complete and on the disk, so two workers that
/// prepare the same data, or one that is killed, do no harm.
///
/// # Errors
/// `Write`.
pub(super) fn write(
    folder: &Path,
    name: &str,
    images: &Images,
    positions: &[usize],
    normalization: &Normalization,
) -> Result<SplitFile, DataError> {
    let path = folder.join(format!("{name}.safetensors"));
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_temporary(&temporary, images, positions, normalization)
        .and_then(|sha256| publish(&temporary, &path).map(|()| sha256));
    match written {
        Ok(sha256) => Ok(SplitFile { path, images: positions.len(), sha256 }),
        Err(cause) => {
            // It may not exist; the first error is the one to tell.
            let _ = fs::remove_file(&temporary);
            Err(DataError::Write { path, cause })
        }
    }
}

fn write_temporary(
    path: &Path,
    images: &Images,
    positions: &[usize],
    normalization: &Normalization,
) -> io::Result<String> {
    let [channels, height, width] = images.shape;
    let n = positions.len();
    let pixels = positions.iter().flat_map(|position| images.image(*position)).copied().collect();
    let labels = positions.iter().map(|position| i64::from(images.labels[*position]));
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensors = [
        ("images", Tensor(Dtype::U8, vec![n, channels, height, width], pixels)),
        ("labels", Tensor(Dtype::I64, vec![n], labels.flat_map(i64::to_le_bytes).collect())),
        ("mean", Tensor(Dtype::F32, vec![channels], floats(&normalization.mean))),
        ("std", Tensor(Dtype::F32, vec![channels], floats(&normalization.std))),
    ];
    safetensors::serialize_to_file(tensors, None, path).map_err(io::Error::other)?;
    File::open(path)?.sync_all()?;
    sha256_of(path)
}

fn publish(temporary: &Path, path: &PathBuf) -> io::Result<()> {
    fs::rename(temporary, path)?;
    // The folder's own entry must be durable too.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

struct Tensor(Dtype, Vec<usize>, Vec<u8>);

impl View for Tensor {
    fn dtype(&self) -> Dtype {
        self.0
    }

    fn shape(&self) -> &[usize] {
        &self.1
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.2)
    }

    fn data_len(&self) -> usize {
        self.2.len()
    }
}
