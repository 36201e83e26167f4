//! A trial's own log file: lines for a person, appended as things happen.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// An open log. A log that can't be written must not cost a trial, so mistakes are ignored.
#[derive(Debug)]
pub(crate) struct TrialLog {
    file: Option<File>,
}

impl TrialLog {
    /// Opens a log for appending, and its folder with it.
    pub(crate) fn open(path: &Path) -> Self {
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        Self { file: OpenOptions::new().create(true).append(true).open(path).ok() }
    }

    /// A log that goes nowhere.
    pub(crate) fn none() -> Self {
        Self { file: None }
    }

    pub(crate) fn line(&mut self, text: &str) {
        if let Some(file) = &mut self.file {
            let _ = file.write_all(format!("{text}\n").as_bytes());
        }
    }
}
