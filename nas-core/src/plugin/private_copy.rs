//! Copies of libraries that nobody else can change.
//!
//! What was checked has to be what is loaded, so the checked bytes are written to a folder of this
//! user alone, named by their digest, and loaded from there. The file keeps its name, so that
//! backtraces tell which plugin it is.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

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
    let failed = |error| PluginLoadError::cache(&copy, error);
    let is_good = || fs::read(&copy).map(|bytes| sha256(&bytes) == digest);
    match is_good() {
        Ok(true) => return Ok(copy),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_new(&copy, &file.bytes).map_err(failed)?;
        }
        Ok(false) | Err(_) => {}
    }
    // Only what is bad is replaced, whoever wrote it.
    if !matches!(is_good(), Ok(true)) {
        write_whole(&copy, &file.bytes).map_err(failed)?;
    }
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
    // Other threads, and processes of the same number in other containers, write at other times.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let partial = path.with_file_name(format!(".{name}.{}.{now}", std::process::id()));
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

    #[test]
    fn a_copy_is_replaced_where_it_is_bad_and_never_where_it_is_good() {
        let cache = tempfile::tempdir().unwrap();
        let library = cache.path().join("libone.so");
        fs::write(&library, "library").unwrap();
        let file = LibraryFile::read(&library).unwrap();
        let digest = file.sha256();
        let copy = private_copy(cache.path(), &file, &digest).unwrap();
        let inode = || fs::metadata(&copy).unwrap().ino();
        let first = inode();
        private_copy(cache.path(), &file, &digest).unwrap();
        assert_eq!(inode(), first);
        fs::write(&copy, "spoilt").unwrap();
        private_copy(cache.path(), &file, &digest).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"library");
    }
}
