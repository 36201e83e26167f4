//! The sha256 of a file or folder, as journals and messages have it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Hexadecimal sha256 of a file's bytes.
///
/// # Errors
/// What the system says.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(HEXLOWER.encode(&digest.finalize())),
            Ok(length) => digest.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hexadecimal sha256 of a file's bytes, or of the list of a folder's files: what
/// `cd FOLDER && find -L . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum` prints.
///
/// # Errors
/// What the system says.
pub fn sha256_of_source(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_dir() {
        return sha256_of(path);
    }
    let mut files = Vec::new();
    list_files(path, b"./", &mut files)?;
    files.sort();
    let mut digest = Sha256::new();
    for (name, file) in files {
        digest.update(sha256_of(&file)?);
        digest.update(b"  ");
        digest.update(name);
        digest.update(b"\n");
    }
    Ok(HEXLOWER.encode(&digest.finalize()))
}

/// All files below a folder, links followed, with their names below it.
fn list_files(folder: &Path, name: &[u8], files: &mut Vec<(Vec<u8>, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let own = path.file_name().unwrap_or_default().as_bytes();
        let metadata = fs::metadata(&path)?;
        if metadata.is_dir() {
            list_files(&path, &[name, own, b"/"].concat(), files)?;
        } else if metadata.is_file() {
            files.push(([name, own].concat(), path));
        }
    }
    Ok(())
}
