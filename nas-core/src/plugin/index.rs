//! What is known of the files on the search path, so that listing plugins reads none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::PluginLoadError;
use super::examine::Examined;
use super::private_copy::{make_private, write_whole};
use super::prune::prune;

/// The file in the cache folder.
const INDEX: &str = "index.json";

/// Files and what was found in them, each under its path.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Index {
    /// The version of the program that wrote it: another one may judge differently.
    version: String,
    files: BTreeMap<PathBuf, Entry>,
    #[serde(skip)]
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    found: Found,
}

/// What changes when a file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    /// Catches tools that set a modification time, as copying does.
    status_changed: (i64, i64),
}

/// What was found in a file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Found {
    /// A plugin.
    Plugin(Box<Examined>),
    /// Something else.
    NoPlugin,
    /// A plugin that can't be used, and why.
    Broken(String),
}

impl Stamp {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            status_changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

impl Index {
    /// Reads the index; an unreadable one is an empty one.
    pub(super) fn read(cache: &Path) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        fs::read(cache.join(INDEX))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|index| index.version == version)
            .unwrap_or_else(|| Self { version: version.to_owned(), ..Self::default() })
    }

    /// What was found in a file, unless it has changed since.
    pub(super) fn found(&self, path: &Path, stamp: Stamp) -> Option<&Found> {
        let entry = self.files.get(path)?;
        (entry.stamp == stamp).then_some(&entry.found)
    }

    /// Remembers what was found in a file.
    pub(super) fn remember(&mut self, path: &Path, stamp: Stamp, found: Found) {
        self.files.insert(path.to_owned(), Entry { stamp, found });
        self.changed = true;
    }

    /// Writes the index, if anything in it is new, without files that are gone, and removes copies
    /// that nobody needs.
    pub(super) fn write(mut self, cache: &Path) -> Result<(), PluginLoadError> {
        if !self.changed {
            return Ok(());
        }
        self.files.retain(|path, _| path.exists());
        make_private(cache)?;
        let path = cache.join(INDEX);
        let text =
            serde_json::to_vec(&self).map_err(|error| PluginLoadError::cache(&path, error))?;
        write_whole(&path, &text).map_err(|error| PluginLoadError::cache(&path, error))?;
        prune(cache, &self.digests());
        Ok(())
    }

    /// Digests of the libraries that are known.
    fn digests(&self) -> BTreeSet<&str> {
        self.files
            .values()
            .filter_map(|entry| match &entry.found {
                Found::Plugin(examined) => Some(examined.sha256.as_str()),
                Found::NoPlugin | Found::Broken(_) => None,
            })
            .collect()
    }
}
