//! CIFAR-10's binary batches, and other data in that form.
//!
//! # Source
//! Krizhevsky, the CIFAR-10 page, "binary version": records of 3,073 bytes, a label from 0 to 9 and
//! 1,024 bytes each of red, green and blue, row by row.

use std::path::{Path, PathBuf};

use super::DataError;
use super::images::{Images, LARGEST_SOURCE_BYTES, Source};
use super::source_file::{
    list, listing, name, plain_name, read as read_file, without_packed_twins,
};

/// What the path must be.
pub(super) const EXPECTED: &str = "a folder with CIFAR-10's binary version (`data_batch_*.bin` and \
    `test_batch.bin`, or `*train*.bin` and `*test*.bin`; `.gz` is fine)";

const SHAPE: [usize; 3] = [3, 32, 32];
const RECORD_BYTES: usize = 1 + 3 * 32 * 32;
const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads all batches of a folder in the order of their names. Classes are named by the folder's
/// `batches.meta.txt`, or else as in CIFAR-10.
///
/// # Errors
/// `FileMissing` without a training batch, `PartialRecord`, `LabelOutOfRange`, and those of reading
/// a file.
pub(super) fn read(folder: &Path) -> Result<Source, DataError> {
    let files = without_packed_twins(&list(folder, EXPECTED)?);
    let batches = |words: &[&str]| -> Vec<PathBuf> {
        let fits = |path: &&PathBuf| {
            let name = plain_name(path).to_lowercase();
            name.ends_with(".bin") && words.iter().any(|word| name.contains(word))
        };
        files.iter().filter(fits).cloned().collect()
    };
    let test = batches(&["test"]);
    let mut train = batches(&["data_batch", "train"]);
    train.retain(|path| !test.contains(path));
    if train.is_empty() {
        return Err(DataError::FileMissing {
            folder: folder.into(),
            expected: "training batch (`data_batch_*.bin` or `*train*.bin`, or these with `.gz`)"
                .to_owned(),
            found: listing(&files),
        });
    }
    Ok(Source {
        name: folder.display().to_string(),
        classes: class_names(&files)?,
        train: read_batches(folder, &train)?,
        test: if test.is_empty() { None } else { Some(read_batches(folder, &test)?) },
    })
}

fn class_names(files: &[PathBuf]) -> Result<Vec<String>, DataError> {
    if let Some(path) = files.iter().find(|path| name(path) == "batches.meta.txt") {
        let text = read_file(path, "a text file")?;
        let text = String::from_utf8_lossy(&text);
        let names: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        if names.len() == CLASSES.len() {
            return Ok(names);
        }
        return Err(DataError::NotOfFormat {
            path: path.clone(),
            expected: "a list of 10 class names, one a line".to_owned(),
            found: format!("{} names", names.len()),
            help: "correct it, or remove it to have CIFAR-10's names",
        });
    }
    Ok(CLASSES.map(str::to_owned).to_vec())
}

fn read_batches(folder: &Path, paths: &[PathBuf]) -> Result<Images, DataError> {
    let mut images = Images { shape: SHAPE, pixels: Vec::new(), labels: Vec::new() };
    for path in paths {
        append(&mut images, path)?;
        if images.pixels.len() as u64 > LARGEST_SOURCE_BYTES {
            return Err(DataError::TooBig {
                path: folder.into(),
                limit_bytes: LARGEST_SOURCE_BYTES,
            });
        }
    }
    Ok(images)
}

fn append(images: &mut Images, path: &Path) -> Result<(), DataError> {
    let bytes = read_file(path, "a CIFAR-10 batch")?;
    if !bytes.len().is_multiple_of(RECORD_BYTES) || bytes.is_empty() {
        return Err(DataError::PartialRecord {
            path: path.into(),
            record_bytes: RECORD_BYTES,
            found_bytes: bytes.len(),
            help: if !bytes.is_empty() && bytes.len().is_multiple_of(RECORD_BYTES + 1) {
                "it looks like CIFAR-100, which has two labels a record; convert it to NPZ"
            } else {
                "it is empty, truncated or no CIFAR-10 batch; copy or fetch it again"
            },
        });
    }
    for (index, record) in bytes.chunks_exact(RECORD_BYTES).enumerate() {
        let label = record[0];
        if usize::from(label) >= CLASSES.len() {
            return Err(DataError::LabelOutOfRange {
                from: path.display().to_string(),
                index,
                label: i64::from(label),
                expected: "0 to 9; is it a CIFAR-10 batch in the binary version?".to_owned(),
            });
        }
        images.labels.push(u32::from(label));
        images.pixels.extend_from_slice(&record[1..]);
    }
    Ok(())
}
