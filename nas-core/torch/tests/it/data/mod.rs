//! Data: every format there and back, and what is said of each bad input.

#![cfg(test)]

mod cifar_binary;
mod digits;
mod idx;
mod image_folder;
mod npz;
mod prepared;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use nas_core::protocol::data::{DataConfig, DataFormat, DataRequest, DataSummary};
use nas_torch::data::{DataError, Split, prepare};

/// A configuration with the defaults of the configuration file.
fn config(format: DataFormat, path: &Path) -> DataConfig {
    DataConfig {
        format,
        path: Some(path.to_owned()),
        validation_fraction: 0.2,
        holdout_fraction: 0.2,
        limit: None,
        max_duplicates: None,
        split_seed: 0,
    }
}

/// A data set after preparing: what was said, and the three files as a worker reads them.
struct Prepared {
    summary: DataSummary,
    train: Split,
    validation: Split,
    holdout: Split,
    /// Keeps the files.
    _folder: tempfile::TempDir,
}

fn try_prepared(config: DataConfig) -> Result<Prepared, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let summary = prepare(&DataRequest { config, output: folder.path().join("made/by/us") })?;
    Ok(Prepared {
        train: Split::read(&summary.train.path)?,
        validation: Split::read(&summary.validation.path)?,
        holdout: Split::read(&summary.holdout.path)?,
        summary,
        _folder: folder,
    })
}

#[track_caller]
fn prepared(config: DataConfig) -> Prepared {
    try_prepared(config).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks that preparing fails and that the message has all of these parts.
#[track_caller]
fn check_error(config: DataConfig, parts: &[&str]) {
    let message = match try_prepared(config) {
        Ok(prepared) => panic!("prepared as {:?}", prepared.summary),
        Err(error) => error.to_string(),
    };
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

/// Pixels and labels of some splits, sorted: what must come out as it went in.
fn content(splits: &[&Split]) -> Vec<(i64, Vec<u8>)> {
    let mut all = Vec::new();
    for split in splits {
        let size = split.images.len() / split.labels.len();
        let images = split.images.chunks_exact(size).map(<[u8]>::to_vec);
        all.extend(split.labels.iter().copied().zip(images));
    }
    all.sort();
    all
}

/// How many images each of `classes` classes has.
fn class_counts(splits: &[&Split], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for label in splits.iter().flat_map(|split| &split.labels) {
        counts[usize::try_from(*label).unwrap()] += 1;
    }
    counts
}

/// Different pixels for each image, from its number.
fn pixels(image: usize, size: usize) -> Vec<u8> {
    (0..size).map(|pixel| (image * 31 + pixel * 7) as u8).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
