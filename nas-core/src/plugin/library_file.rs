//! A library's bytes, and which bytes they are.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PluginLoadError;

/// Larger files are no plugins; one without debug information has about a megabyte.
const MAX_LIBRARY_BYTES: u64 = 256 << 20;

/// A library as it was read: everything that follows is about these bytes, whatever becomes of
/// the file.
#[derive(Clone, Debug)]
pub(super) struct LibraryFile {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl LibraryFile {
    pub(super) fn read(path: &Path) -> Result<Self, PluginLoadError> {
        let read = |source| PluginLoadError::Read { path: path.to_owned(), source };
        let too_large = |bytes| PluginLoadError::TooLarge {
            path: path.to_owned(),
            bytes,
            limit: MAX_LIBRARY_BYTES,
        };
        let file = File::open(path).map_err(read)?;
        let announced = file.metadata().map_err(read)?.len();
        if announced > MAX_LIBRARY_BYTES {
            return Err(too_large(announced));
        }
        let mut bytes = Vec::with_capacity(announced as usize);
        // The file may grow while it is read.
        file.take(MAX_LIBRARY_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
        match bytes.len() as u64 > MAX_LIBRARY_BYTES {
            true => Err(too_large(bytes.len() as u64)),
            false => Ok(Self { path: path.to_owned(), bytes }),
        }
    }

    pub(super) fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// The digest in hexadecimal, as journals and pins have it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
