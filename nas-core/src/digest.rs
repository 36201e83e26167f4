//! The sha256 of a file or folder, as journals and messages have it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
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
/// What the system says; links that lead in a circle; names with a backslash or a line break, which
/// would make two folders' lists alike.
pub fn sha256_of_source(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_dir() {
        return sha256_of(path);
    }
    let mut files = Vec::new();
    list_files(path, b"./", &mut Vec::new(), &mut files)?;
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

/// All files below a folder, links followed, with their names below it. `around` are the folders that
/// it lies in.
fn list_files(
    folder: &Path,
    name: &[u8],
    around: &mut Vec<(u64, u64)>,
    files: &mut Vec<(Vec<u8>, PathBuf)>,
) -> io::Result<()> {
    let refused = |path: &Path, what: &str| {
        io::Error::new(io::ErrorKind::InvalidData, format!("`{}` {what}", path.display()))
    };
    let metadata = fs::metadata(folder)?;
    let identity = (metadata.dev(), metadata.ino());
    if around.contains(&identity) {
        return Err(refused(folder, "is a link to a folder that it lies in"));
    }
    around.push(identity);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let own = path.file_name().unwrap_or_default().as_bytes();
        if own.iter().any(|byte| b"\\\n\r".contains(byte)) {
            return Err(refused(&path, "has a backslash or a line break in its name"));
        }
        // A link that leads nowhere is no file.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            list_files(&path, &[name, own, b"/"].concat(), around, files)?;
        } else if metadata.is_file() {
            files.push(([name, own].concat(), path));
        }
    }
    around.pop();
    Ok(())
}
