//! The anchor: copies of the chain's head outside of the run's folder.
//!
//! Whoever can write a journal can cut its end off, or write the whole chain anew, and it agrees
//! with itself. A copy of the head in a file that they can't change shows both. Each line of the
//! file is a head as JSON; lines are only ever appended, so the file may be made append-only for
//! everybody (`chattr +a`), or be a place that another machine collects.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::chain::{ChainHash, Head};

/// Names the file; an empty name means that there is none.
const VARIABLE: &str = "NAS_ANCHOR";

/// The file with the heads of this user's runs, or of many users'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorFile {
    path: PathBuf,
    /// Whether somebody named this file, rather than nobody another one.
    is_named: bool,
}

/// A copy of a run's head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The run's folder.
    pub run: PathBuf,
    /// The hash of the run's first event, by which a folder that was moved is known again.
    #[serde(with = "hexadecimal")]
    pub first: ChainHash,
    /// The last event's number.
    pub seq: u64,
    /// Its hash.
    #[serde(with = "hexadecimal")]
    pub hash: ChainHash,
    /// Milliseconds since 1970 by the system's clock when the copy was made.
    pub time_ms: u64,
}

/// Why the anchor can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// The system.
    #[error(
        "{doing} the anchor `{}`: {source}; make it a file that this user may append to, or name \
         another one with {VARIABLE}",
        path.display()
    )]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is no head.
    #[error(
        "read the anchor `{}`: line {line} is no copy of a journal's head ({message}); the file \
         was changed, or is another one",
        path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
}

impl AnchorFile {
    /// This file.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), is_named: true }
    }

    /// The file that `NAS_ANCHOR` names; by default `$XDG_STATE_HOME/nas/anchors.jsonl`, which is
    /// in `~/.local/state` where that is not set. None where the name is empty, or nobody's home
    /// is known.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        if let Some(path) = env::var_os(VARIABLE) {
            return (!path.is_empty()).then(|| Self::at(Path::new(&path)));
        }
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = set("XDG_STATE_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".local").join("state")))?;
        Some(Self { path: state.join("nas").join("anchors.jsonl"), is_named: false })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether somebody named this file, and a run must not go on without it.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.is_named
    }

    /// Appends a head, and waits until it is on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(&self, anchor: &Anchor) -> Result<(), AnchorError> {
        let failed =
            |doing| move |source| AnchorError::File { doing, path: self.path.clone(), source };
        if let Some(folder) = self.path.parent().filter(|_| !self.is_named) {
            std::fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        }
        let mut text = serde_json::to_vec(anchor)
            .map_err(io::Error::other)
            .map_err(failed("write a head for"))?;
        text.push(b'\n');
        let open = |read| OpenOptions::new().read(read).append(true).create(true).open(&self.path);
        // What may be appended to may not always be read.
        let mut file = open(true).or_else(|_| open(false)).map_err(failed("open"))?;
        file.lock().map_err(failed("lock"))?;
        if !ends_with_line(&mut file) {
            // Another program was cut off in the middle of its line.
            text.insert(0, b'\n');
        }
        file.write_all(&text).and_then(|()| file.sync_data()).map_err(failed("append to"))
    }

    /// The heads of a run, in the order in which they were written. A file that is not there has
    /// none.
    ///
    /// # Errors
    /// A file that can't be read, or a line that is none of its own.
    pub fn of_run(&self, run: &Path, first: ChainHash) -> Result<Vec<Anchor>, AnchorError> {
        let mut text = String::new();
        let read = File::open(&self.path).and_then(|mut file| file.read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(AnchorError::File { doing: "read", path: self.path.clone(), source });
            }
            Ok(_) => {}
        }
        let run = whole(run);
        let mut anchors = Vec::new();
        for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let anchor: Anchor = serde_json::from_str(line).map_err(|error| AnchorError::Line {
                path: self.path.clone(),
                line: place + 1,
                message: error.to_string(),
            })?;
            // A chain that was written anew has another first event, but the same folder.
            if anchor.first == first || anchor.run == run {
                anchors.push(anchor);
            }
        }
        Ok(anchors)
    }
}

impl Anchor {
    /// A copy of a run's head.
    #[must_use]
    pub fn new(run: &Path, first: ChainHash, head: Head, time_ms: u64) -> Self {
        Self { run: whole(run), first, seq: head.seq, hash: head.hash, time_ms }
    }
}

/// The path that a folder has, whichever way it was named.
fn whole(run: &Path) -> PathBuf {
    run.canonicalize().unwrap_or_else(|_| run.to_owned())
}

fn ends_with_line(file: &mut File) -> bool {
    let mut last = [b'\n'];
    // An empty file, and one that can't be read, count as whole.
    let read = file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last));
    read.is_err() || last == [b'\n']
}

/// Hashes as text.
mod hexadecimal {
    use super::{ChainHash, HEXLOWER};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        hash: &ChainHash,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        HEXLOWER.encode(&hash.0).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<ChainHash, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(Error::custom)?;
        let bytes = bytes.try_into().map_err(|_| Error::custom("a hash has 64 digits"))?;
        Ok(ChainHash(bytes))
    }
}
