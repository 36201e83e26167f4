//! Copies of libraries that nobody else can change.
//!
//! What was checked has to be what is loaded, so the checked bytes are written to a folder of this
//! user alone, named by their digest, and loaded from there. The file keeps its name, so that
//! backtraces tell which plugin it is.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::PluginLoadError;
use super::library_file::{LibraryFile, sha256};

/// The folder of everything that is kept about a library of this digest.
pub(super) fn folder(cache: &Path, sha256: &str) -> PathBuf {
    cache.join(sha256)
}

/// The place of a library's copy in its folder.
pub(super) fn copy_of(folder: &Path, library: &Path) -> PathBuf {
    folder.join(library.file_name().unwrap_or("plugin.so".as_ref()))
}

/// The copy of a library, written if it is not there or is not what it should be.
///
/// A good copy is never replaced by an equal one: another process may be about to load it, and may
/// open that very file and no other (Landlock).
pub(super) fn private_copy(
    cache: &Path,
    file: &LibraryFile,
    digest: &str,
) -> Result<PathBuf, PluginLoadError> {
    let folder = folder(cache, digest);
    make_private(&folder)?;
    let copy = copy_of(&folder, &file.path);
    if fs::read(&copy).is_ok_and(|bytes| sha256(&bytes) == digest) {
        return Ok(copy);
    }
    let written = match copy.exists() {
        true => write_whole(&copy, &file.bytes),
        false => write_new(&copy, &file.bytes),
    };
    written.map_err(|error| PluginLoadError::cache(&copy, error))?;
    // Read back: a full disk or a bad one shows here and not in a crash.
    let found = fs::read(&copy).map(|bytes| sha256(&bytes));
    match found.as_deref() {
        Ok(found) if found == digest => Ok(copy),
        Ok(_) => Err(PluginLoadError::cache(&copy, "the copy differs from what was written")),
        Err(error) => Err(PluginLoadError::cache(&copy, error)),
    }
}

/// Writes a file, in place of one that is there, so that others see all of it or nothing.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = write_partial(path, bytes)?;
    fs::rename(&partial, path).inspect_err(|_| drop(fs::remove_file(&partial)))
}

/// The same where no file is there; one that somebody else wrote meanwhile stays.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = write_partial(path, bytes)?;
    let linked = fs::hard_link(&partial, path);
    let _ = fs::remove_file(&partial);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A disk that knows no links.
        Err(_) => write_whole(path, bytes),
        Ok(()) => Ok(()),
    }
}

/// Writes a file beside the one that it is going to be.
fn write_partial(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = path.with_file_name(format!(".{name}.{}", std::process::id()));
    // What an earlier process of the same number left behind.
    let _ = fs::remove_file(&partial);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    file.write_all(bytes).inspect_err(|_| drop(fs::remove_file(&partial)))?;
    Ok(partial)
}

/// Makes a folder that only this user can read or change, and refuses one that others can.
pub(super) fn make_private(folder: &Path) -> Result<(), PluginLoadError> {
    let failed = |error: io::Error| PluginLoadError::cache(folder, error);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = fs::symlink_metadata(folder).map_err(failed)?;
    if !metadata.is_dir() {
        return Err(PluginLoadError::cache(folder, "it is no folder"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(PluginLoadError::cache(folder, "it belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(PluginLoadError::cache(folder, "others may write to it (chmod go-w)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_somebody_else_wrote_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("plugin.so");
        write_new(&copy, b"library").unwrap();
        let inode = fs::metadata(&copy).unwrap().ino();
        write_new(&copy, b"library").unwrap();
        assert_eq!(fs::metadata(&copy).unwrap().ino(), inode);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_whole(&copy, b"another").unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"another");
    }
}
