//! Prepared data, kept from run to run.
//!
//! A folder per source and split, named by a digest of everything that they depend on: the
//! configuration, the source files' sizes and times, and the worker's program. It is whole when it
//! has a summary, and good when each file has the digest that the summary gives; otherwise it is
//! made again. Nothing here is locked: whoever prepares the same data at the same time writes the
//! same files, each renamed into place.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::meter::UNLIMITED;
use super::{ExecutorError, prepare_splits, worker_program};
use crate::digest::sha256_of;
use crate::protocol::Usage;
use crate::protocol::data::{DataConfig, DataRequest, DataSummary, SplitFile};

/// To be raised when the same digest would name other files.
const LAYOUT: u32 = 2;
const SUMMARY: &str = "summary.json";

/// Prepares a data set in the user's cache, or finds it there; then nothing was used.
///
/// # Errors
/// What is wrong with the data, or with the cache's folder.
pub fn prepare_data(config: &DataConfig) -> Result<(DataSummary, Usage), ExecutorError> {
    DataCache::of_user().get(&worker_program()?, config)
}

/// A folder with prepared data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataCache {
    root: PathBuf,
}

impl DataCache {
    /// A cache in this folder, which need not exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The user's own: `nas/data` in `$XDG_CACHE_HOME`, or in `~/.cache`.
    #[must_use]
    pub fn of_user() -> Self {
        let absolute = |variable| {
            std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let cache = absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir);
        Self::new(cache.join("nas").join("data"))
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The prepared data, from the cache or made by a worker, and what making them used.
    ///
    /// # Errors
    /// What is wrong with the data, or with the cache's folder.
    pub fn get(
        &self,
        program: &Path,
        config: &DataConfig,
    ) -> Result<(DataSummary, Usage), ExecutorError> {
        let folder = self.root.join(digest(program, config)?);
        if let Some(summary) = read_whole(&folder) {
            return Ok((summary, Usage::default()));
        }
        fs::create_dir_all(&folder).map_err(file_error("create the folder", &folder))?;
        let request = DataRequest { config: config.clone(), output: folder.clone() };
        let made = prepare_splits(program, &request, &UNLIMITED)?;
        write_summary(&folder, &made.0)?;
        Ok(made)
    }
}

/// The summary in this folder, if every file is what it says.
fn read_whole(folder: &Path) -> Option<DataSummary> {
    let text = fs::read(folder.join(SUMMARY)).ok()?;
    let summary: DataSummary = serde_json::from_slice(&text).ok()?;
    let is_whole = |split: &SplitFile| {
        split.path.parent() == Some(folder)
            && sha256_of(&split.path).is_ok_and(|digest| digest == split.sha256)
    };
    let splits = [&summary.train, &summary.validation, &summary.holdout];
    let all_whole = splits.iter().all(|split| is_whole(split));
    all_whole.then_some(summary)
}

fn write_summary(folder: &Path, summary: &DataSummary) -> Result<(), ExecutorError> {
    let path = folder.join(SUMMARY);
    let temporary = folder.join(format!(".{SUMMARY}.{}", std::process::id()));
    let text = serde_json::to_vec_pretty(summary).map_err(io::Error::from);
    text.and_then(|text| fs::write(&temporary, text))
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(file_error("write", &path))
}

/// A name for everything that prepared data depend on.
fn digest(program: &Path, config: &DataConfig) -> Result<String, ExecutorError> {
    let mut config = config.clone();
    let mut files = Vec::new();
    if let Some(path) = &mut config.path {
        // A source that is not there is the worker's to explain.
        *path = fs::canonicalize(&*path).unwrap_or_else(|_| path.clone());
        list_files(path, &mut files).map_err(file_error("read", path))?;
    }
    files.sort();
    let program = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let program_state = fs::metadata(&program).map(|metadata| state(&metadata)).ok();
    let all = (LAYOUT, &config, lossy(program.as_os_str()), program_state, &files);
    let text = serde_json::to_vec(&all)
        .map_err(io::Error::from)
        .map_err(file_error("name the folder of", &program))?;
    Ok(HEXLOWER.encode(&Sha256::digest(&text)[..16]))
}

/// All files below a path, with what changes when they do.
fn list_files(path: &Path, files: &mut Vec<(String, (u64, u128))>) -> io::Result<()> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            list_files(&entry?.path(), files)?;
        }
    } else {
        files.push((lossy(path.as_os_str()), state(&metadata)));
    }
    Ok(())
}

/// Size and time of the last change, in nanoseconds since 1970.
fn state(metadata: &Metadata) -> (u64, u128) {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    (metadata.len(), modified.unwrap_or_default().as_nanos())
}

fn lossy(path: &OsStr) -> String {
    path.to_string_lossy().into_owned()
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ExecutorError {
    let path = path.to_owned();
    move |source| ExecutorError::File { what, path, source }
}
