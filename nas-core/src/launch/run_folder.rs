//! A run's folder: its journal, the logs and weights of its trials.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::executor::trials_folder;

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// Why there is no such folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunFolderError {
    /// No run has this name.
    #[error("there is no run `{name}` in `{}` (it has {known})", runs.display())]
    Unknown {
        /// The name.
        name: String,
        /// Where runs were looked for.
        runs: PathBuf,
        /// Some that exist.
        known: String,
    },
    /// The beginning of a name fits several runs.
    #[error("`{name}` may be {candidates}; give more of the name")]
    Ambiguous {
        /// The beginning.
        name: String,
        /// What it may be.
        candidates: String,
    },
    /// The folder can't be made or read.
    #[error("{what} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl RunFolder {
    /// Makes the folder of a new run, named by time and name.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(runs: &Path, name: &str) -> Result<Self, RunFolderError> {
        let file = |what, path: &Path| {
            let path = path.to_owned();
            move |source| RunFolderError::File { what, path, source }
        };
        std::fs::create_dir_all(runs).map_err(file("create the folder of runs", runs))?;
        let stamp = time_stamp(SystemTime::now());
        // Two runs may begin within one second.
        for attempt in 1.. {
            let suffix = if attempt == 1 { String::new() } else { format!("-{attempt}") };
            let path = runs.join(format!("{stamp}-{name}{suffix}"));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(file("create the run's folder", &path)(error)),
            }
        }
        unreachable!("some number is free")
    }

    /// Finds a run by path, by name, or by the unique beginning of its name; `last` is the newest.
    ///
    /// # Errors
    /// No run or several.
    pub fn open(name: &str, runs: &Path) -> Result<Self, RunFolderError> {
        let path = PathBuf::from(name);
        if Self::is_run(&path) {
            return Ok(Self { path });
        }
        let known = Self::list(runs)?;
        if name == "last"
            && let Some(newest) = known.last()
        {
            return Ok(newest.clone());
        }
        let fits: Vec<&Self> = known.iter().filter(|run| run.name().starts_with(name)).collect();
        match fits.as_slice() {
            [only] => Ok((*only).clone()),
            _ if fits.iter().any(|run| run.name() == name) => Ok(Self { path: runs.join(name) }),
            [] => Err(RunFolderError::Unknown {
                name: name.to_owned(),
                runs: runs.to_owned(),
                known: some(known.iter().rev()),
            }),
            _ => Err(RunFolderError::Ambiguous {
                name: name.to_owned(),
                candidates: some(fits.into_iter()),
            }),
        }
    }

    /// All runs of a folder, oldest first; a folder that does not exist has none.
    ///
    /// # Errors
    /// A folder that can't be read.
    pub fn list(runs: &Path) -> Result<Vec<Self>, RunFolderError> {
        let entries = match std::fs::read_dir(runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                let (what, path) = ("list the runs in", runs.to_owned());
                return Err(RunFolderError::File { what, path, source });
            }
        };
        let mut found: Vec<Self> = entries
            .filter_map(|entry| Some(Self { path: entry.ok()?.path() }))
            .filter(|run| Self::is_run(&run.path))
            .collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The folder of the trials' logs and weights, in which workers write; made if it is not there.
    pub(super) fn make_trials(&self) -> Result<PathBuf, RunFolderError> {
        let path = trials_folder(&self.path);
        std::fs::create_dir_all(&path).map_err(|source| {
            let what = "make the folder of trials";
            RunFolderError::File { what, path: path.clone(), source }
        })?;
        Ok(path)
    }

    /// A journal without a byte belongs to a run that was cut off before it began.
    fn is_run(path: &Path) -> bool {
        let journal = std::fs::metadata(path.join(crate::journal::JOURNAL_FILE));
        journal.is_ok_and(|journal| journal.is_file() && journal.len() > 0)
    }
}

fn some<'a>(runs: impl Iterator<Item = &'a RunFolder>) -> String {
    let names: Vec<String> = runs.take(5).map(|run| format!("`{}`", run.name())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// `20260131-235959` in UTC.
fn time_stamp(now: SystemTime) -> String {
    let now = time::OffsetDateTime::from(now);
    format!(
        "{:04}{:02}{:02}-{:02}{:02}{:02}",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}
