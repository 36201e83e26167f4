//! Why no search may begin.

use std::io;
use std::path::{Path, PathBuf};

/// Why no search may begin: a policy that can't be read is not passed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrganisationError {
    /// A file that was named or is there can't be read.
    #[error("{what} `{}` can't be read: {source}; no search runs without it", path.display())]
    File {
        /// What it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is none.
    #[error(
        "the organisation's policy `{}` is none: {message}; no search runs without it (the book's \
         page on policies of organisations has the form)",
        path.display()
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// There is a key but no file.
    #[error(
        "a key `{}` is configured for the organisation's policy, but there is no policy: it was \
         looked for in {places}; no search runs without it",
        key.display()
    )]
    Missing {
        /// The key.
        key: PathBuf,
        /// Where the file was looked for.
        places: String,
    },
    /// The key is none.
    #[error("the trusted key `{}` is no public key of minisign: {message}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Not signed by the trusted key.
    #[error(
        "the organisation's policy `{}` is not signed by the trusted key `{}` (signature in `{}`): \
         {message}; no search runs until it is signed again (`minisign -S -m {}`)",
        policy.display(), key.display(), signature.display(), policy.display()
    )]
    Signature {
        /// The policy file.
        policy: PathBuf,
        /// The file with the signature.
        signature: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// A whole file, which must be there.
pub(super) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, OrganisationError> {
    std::fs::read(path).map_err(|source| OrganisationError::File {
        what,
        path: path.to_owned(),
        source,
    })
}
