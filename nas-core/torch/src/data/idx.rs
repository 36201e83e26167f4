//! The IDX files of the MNIST family: MNIST, Fashion-MNIST, KMNIST, EMNIST.
//!
//! # Source
//! LeCun, Cortes, Burges. The MNIST database, "file formats": a magic number, the sizes as 32-bit
//! big-endian numbers, then the bytes.

use std::path::{Path, PathBuf};

use super::DataError;
use super::class_numbers::{self, NumberedImages};
use super::images::Source;
use super::source_file::{
    list, listing, name, plain_name, read as read_file, without_packed_twins,
};

/// What the path must be.
pub(super) const EXPECTED: &str = "a folder with the four IDX files of the MNIST family \
    (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, \
    `t10k-labels-idx1-ubyte`; `.gz` is fine)";

/// Reads the four files of a folder.
///
/// # Errors
/// `FileMissing`, `Ambiguous`, `NotOfFormat`, `WrongLength`, `CountMismatch`, `LabelOutOfRange` for
/// a test label that training does not have, and those of reading a file.
pub(super) fn read(folder: &Path) -> Result<Source, DataError> {
    let files = without_packed_twins(&list(folder, EXPECTED)?);
    let train = read_part(folder, &files, "training", &["train"])?;
    let test = read_part(folder, &files, "test", &["t10k", "test"])?;
    class_numbers::source(folder.display().to_string(), train, Some(test))
}

/// Reads one images file and its labels file.
fn read_part(
    folder: &Path,
    files: &[PathBuf],
    part: &'static str,
    prefixes: &[&str],
) -> Result<NumberedImages, DataError> {
    let images_path = find(folder, files, part, prefixes, "images", 3)?;
    let labels_path = find(folder, files, part, prefixes, "labels", 1)?;
    let ([images, height, width], pixels) = read_idx::<3>(&images_path)?;
    let ([labels], label_bytes) = read_idx::<1>(&labels_path)?;
    let labels_from = labels_path.display().to_string();
    if images != labels {
        return Err(DataError::CountMismatch {
            images_from: images_path.display().to_string(),
            images,
            labels_from,
            labels,
        });
    }
    let labels = label_bytes.into_iter().map(i64::from).collect();
    Ok(NumberedImages { shape: [1, height, width], pixels, labels, labels_from })
}

/// The one file of a part, in either spelling (`-idx3-ubyte`, `.idx3-ubyte`); something may stand
/// before it, as in `emnist-letters-train-images-idx3-ubyte`.
fn find(
    folder: &Path,
    files: &[PathBuf],
    part: &'static str,
    prefixes: &[&str],
    content: &str,
    rank: usize,
) -> Result<PathBuf, DataError> {
    let endings: Vec<String> = prefixes
        .iter()
        .flat_map(|prefix| ["-", "."].map(|dot| format!("{prefix}-{content}{dot}idx{rank}-ubyte")))
        .collect();
    let fits = |path: &&PathBuf| endings.iter().any(|ending| plain_name(path).ends_with(ending));
    let mut found = files.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path.clone()),
        (Some(first), Some(second)) => Err(DataError::Ambiguous {
            folder: folder.into(),
            wanted: part,
            first: name(first),
            second: name(second),
        }),
        (None, _) => Err(DataError::FileMissing {
            folder: folder.into(),
            expected: format!("{part} {content} (`{}` or `{}.gz`)", endings[0], endings[0]),
            found: listing(files),
        }),
    }
}

/// Reads an IDX file of unsigned bytes with `RANK` axes: its sizes and its bytes. Nothing is
/// allocated for what the header promises.
fn read_idx<const RANK: usize>(path: &Path) -> Result<([usize; RANK], Vec<u8>), DataError> {
    let mut bytes = read_file(path, "an IDX file")?;
    let header_bytes = 4 + 4 * RANK;
    let magic = [0, 0, 0x08, u8::try_from(RANK).unwrap_or(u8::MAX)];
    if bytes.len() < header_bytes || bytes[..4] != magic {
        return Err(DataError::NotOfFormat {
            path: path.into(),
            expected: format!(
                "an IDX file of bytes with {RANK} axes (it begins with {magic:02x?})"
            ),
            found: format!(
                "{} bytes beginning with {:02x?}",
                bytes.len(),
                &bytes[..bytes.len().min(4)]
            ),
            help: "fetch it again, and check that images and labels are not exchanged",
        });
    }
    let mut sizes = [0; RANK];
    for (size, field) in sizes.iter_mut().zip(bytes[4..].chunks_exact(4)) {
        *size = field.iter().fold(0, |value, byte| value << 8 | usize::from(*byte));
    }
    // Three sizes of 32 bits each need 96 bits.
    let promised = sizes.iter().fold(1_u128, |product, size| product * *size as u128);
    let found = bytes.len() - header_bytes;
    if promised != found as u128 {
        return Err(DataError::WrongLength {
            path: path.into(),
            header: format!("sizes {sizes:?}"),
            expected_bytes: u64::try_from(promised).unwrap_or(u64::MAX),
            found_bytes: found as u64,
        });
    }
    bytes.drain(..header_bytes);
    Ok((sizes, bytes))
}
