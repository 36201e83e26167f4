//! From a path to a description: everything that comes before a library is used.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::PluginLoadError;
use super::inspect::{Inspected, SectionManifest, inspect};
use super::library_file::LibraryFile;
use super::places::Places;
use super::private_copy::{copy_of, folder, make_private, private_copy, write_whole};
use super::probe::{self, Description};

/// A library that was found usable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Examined {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) root_symbol: String,
    pub(super) manifest: SectionManifest,
    pub(super) description: Description,
}

/// A library as it is loaded: bytes that were checked, in a place that nobody else can change.
pub(super) struct Ready {
    pub(super) copy: PathBuf,
    pub(super) sha256: String,
    pub(super) inspected: Inspected,
}

/// Whether an earlier verdict about the same bytes is good enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// What was found before holds, good or bad.
    Trust,
    /// A library that failed before is tried again.
    RetryFailures,
}

/// Reads, checks, copies and tries out a library.
pub(super) fn examine(
    places: &Places,
    path: &Path,
    memory: Memory,
) -> Result<Examined, PluginLoadError> {
    let Ready { copy, sha256, inspected } = make_ready(places, path)?;
    let kept = folder(&places.cache, &sha256).join(DESCRIPTION);
    let description = match read_kept(&kept) {
        Some(Kept::Usable(description)) => *description,
        Some(Kept::Unusable { phase, reason }) if memory == Memory::Trust => {
            return Err(PluginLoadError::ProbeRefused { path: path.to_owned(), phase, reason });
        }
        _ => {
            let tried = probe::try_out(places.host()?, path, &copy, &inspected.root_symbol);
            keep(&kept, &tried)?;
            tried?
        }
    };
    let Inspected { root_symbol, manifest } = inspected;
    Ok(Examined { path: path.to_owned(), sha256, root_symbol, manifest, description })
}

/// Reads, checks and copies a library, without running it.
pub(super) fn make_ready(places: &Places, path: &Path) -> Result<Ready, PluginLoadError> {
    let file = LibraryFile::read(path)?;
    let inspected = inspect(&file)?;
    let sha256 = file.sha256();
    let copy = private_copy(&places.cache, &file, &sha256)?;
    Ok(Ready { copy, sha256, inspected })
}

/// A library of which only these very bytes will do: the copy where it is good, else a new one.
///
/// The file itself may have changed since it was listed, as when it is built again during a
/// search; what was listed is still loaded.
pub(super) fn make_ready_again(
    places: &Places,
    path: &Path,
    sha256: &str,
) -> Result<Ready, PluginLoadError> {
    let folder = folder(&places.cache, sha256);
    let copy = copy_of(&folder, path);
    let kept = make_private(&folder).and_then(|()| LibraryFile::read(&copy));
    if let Ok(file) = kept
        && file.sha256() == sha256
    {
        return Ok(Ready { copy, sha256: sha256.to_owned(), inspected: inspect(&file)? });
    }
    let ready = make_ready(places, path)?;
    match ready.sha256 == sha256 {
        true => Ok(ready),
        false => Err(PluginLoadError::Changed {
            path: path.to_owned(),
            expected: sha256.to_owned(),
            found: ready.sha256,
        }),
    }
}

/// The file beside a private copy that says what was found.
const DESCRIPTION: &str = "description.json";

/// What trying a library out showed, for the next time.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Usable(Box<Description>),
    Unusable { phase: probe::Phase, reason: String },
}

fn read_kept(path: &Path) -> Option<Kept> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn keep(path: &Path, tried: &Result<Description, PluginLoadError>) -> Result<(), PluginLoadError> {
    // A full disk, a busy machine or a missing library of the system says nothing about this one.
    if tried.as_ref().is_err_and(|error| !error.is_lasting()) {
        return Ok(());
    }
    let kept = match tried {
        Ok(description) => Kept::Usable(Box::new(description.clone())),
        Err(PluginLoadError::ProbeRefused { phase, reason, .. }) => {
            Kept::Unusable { phase: *phase, reason: reason.clone() }
        }
        Err(PluginLoadError::ProbeCrashed { end, phase, .. }) => {
            Kept::Unusable { phase: *phase, reason: format!("the process {end}") }
        }
        Err(_) => return Ok(()),
    };
    let text = serde_json::to_vec(&kept).map_err(|error| PluginLoadError::cache(path, error))?;
    write_whole(path, &text).map_err(|error| PluginLoadError::cache(path, error))
}
