//! Files and folders of a source: listed in a fixed order, read whole, gunzipped when they need it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::DataError;
use super::images::LARGEST_SOURCE_BYTES;

/// How many names an error lists at most.
const LISTED_NAMES: usize = 8;

/// The visible entries of a folder, sorted by name.
///
/// # Errors
/// `NotFound`, `WrongKind` or `Read`.
pub(super) fn list(folder: &Path, expected: &'static str) -> Result<Vec<PathBuf>, DataError> {
    let cause = |cause: std::io::Error| match cause.kind() {
        ErrorKind::NotFound => DataError::NotFound { path: folder.into(), expected },
        ErrorKind::NotADirectory => {
            DataError::WrongKind { path: folder.into(), found: "a file", expected }
        }
        _ => DataError::Read { path: folder.into(), cause },
    };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(cause)? {
        let path = entry.map_err(cause)?.path();
        if !name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Opens a file.
///
/// # Errors
/// `NotFound`, `WrongKind` or `Read`.
pub(super) fn open(path: &Path, expected: &'static str) -> Result<File, DataError> {
    if path.is_dir() {
        return Err(DataError::WrongKind { path: path.into(), found: "a folder", expected });
    }
    File::open(path).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => DataError::NotFound { path: path.into(), expected },
        _ => DataError::Read { path: path.into(), cause },
    })
}

/// Reads a whole file, gunzipped if its first bytes say so, whatever its name (browsers unpack a
/// `.gz` and keep the name).
///
/// # Errors
/// `Gzip` for a damaged stream, `TooBig` above [`LARGEST_SOURCE_BYTES`], and those of [`open`].
pub(super) fn read(path: &Path, expected: &'static str) -> Result<Vec<u8>, DataError> {
    let mut file = open(path, expected)?;
    let plain = |cause| DataError::Read { path: path.into(), cause };
    let mut start = Vec::new();
    (&mut file).take(2).read_to_end(&mut start).map_err(plain)?;
    if start == [0x1f, 0x8b] {
        let packed = start.as_slice().chain(file);
        read_limited(MultiGzDecoder::new(packed), path, |cause| DataError::Gzip {
            path: path.into(),
            cause,
        })
    } else {
        read_limited(start.as_slice().chain(file), path, plain)
    }
}

fn read_limited(
    reader: impl Read,
    path: &Path,
    error: impl Fn(std::io::Error) -> DataError,
) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    reader.take(LARGEST_SOURCE_BYTES + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > LARGEST_SOURCE_BYTES {
        return Err(DataError::TooBig { path: path.into(), limit_bytes: LARGEST_SOURCE_BYTES });
    }
    Ok(bytes)
}

/// The last part of a path, as text.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The name without `.gz`.
pub(super) fn plain_name(path: &Path) -> String {
    let name = name(path);
    name.strip_suffix(".gz").unwrap_or(&name).to_owned()
}

/// Drops each `.gz` whose unpacked twin lies beside it, so that no record counts twice.
pub(super) fn without_packed_twins(paths: &[PathBuf]) -> Vec<PathBuf> {
    let is_twin = |path: &PathBuf| {
        name(path).ends_with(".gz") && paths.contains(&path.with_file_name(plain_name(path)))
    };
    paths.iter().filter(|path| !is_twin(path)).cloned().collect()
}

/// What an error says that a folder holds: the first names, or "nothing".
pub(super) fn listing(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<_> =
        paths.iter().take(LISTED_NAMES).map(|path| format!("`{}`", name(path))).collect();
    let more = paths.len() - names.len();
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}
