//! Which libraries run inside this program, and which in a process of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PluginLoadError;
use super::private_copy::write_whole;

/// Which components run in a process of their own.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Those of libraries that are not pinned as trusted.
    #[default]
    Untrusted,
    /// Those of all libraries.
    All,
}

impl fmt::Display for Isolation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Untrusted => "untrusted",
            Self::All => "all",
        })
    }
}

/// Digests of libraries that somebody vouches for. They run with the rights of this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(BTreeSet<String>);

impl Pins {
    /// All that these files list, one library a line: its sha256 in hexadecimal, and a name after
    /// it, as `sha256sum` writes them. A file that is not there lists none.
    #[must_use]
    pub fn read(files: &[PathBuf]) -> Self {
        let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
        let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        Self(lines.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect())
    }

    /// Drops what is not among these too.
    pub(super) fn keep(&mut self, others: &Self) {
        self.0.retain(|sha256| others.contains(sha256));
    }

    /// Whether a library is among them.
    #[must_use]
    pub fn contains(&self, sha256: &str) -> bool {
        self.0.contains(sha256)
    }
}

impl FromIterator<String> for Pins {
    fn from_iter<I: IntoIterator<Item = String>>(digests: I) -> Self {
        Self(digests.into_iter().collect())
    }
}

/// Adds a library to a file of pins, which is made if need be; says whether it was new there.
///
/// # Errors
/// A file that can't be written.
pub fn pin(file: &Path, sha256: &str, name: &str) -> Result<bool, PluginLoadError> {
    let mut lines = lines_of(file);
    if lines.iter().any(|line| is_about(line, sha256)) {
        return Ok(false);
    }
    lines.push(format!("{sha256}  {name}"));
    write(file, &lines).map(|()| true)
}

/// Takes a library out of a file of pins; says whether it was there.
///
/// # Errors
/// A file that can't be written.
pub fn unpin(file: &Path, sha256: &str) -> Result<bool, PluginLoadError> {
    let mut lines = lines_of(file);
    let before = lines.len();
    lines.retain(|line| !is_about(line, sha256));
    match lines.len() == before {
        true => Ok(false),
        false => write(file, &lines).map(|()| true),
    }
}

fn lines_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn is_about(line: &str, sha256: &str) -> bool {
    line.split_whitespace().next() == Some(sha256)
}

fn write(file: &Path, lines: &[String]) -> Result<(), PluginLoadError> {
    let failed = |source| PluginLoadError::Pins { path: file.to_owned(), source };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write_whole(file, text.as_bytes()).map_err(failed)
}
