//! Where each trial's own log lies, and what the supervisor adds to it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use nas_plugin_api::trial::TrialId;

/// The log of a trial, in the run's folder: `trials/<id>/log.txt`. Made by whoever writes first.
#[must_use]
pub fn trial_log(run: &Path, trial: TrialId) -> PathBuf {
    trials_folder(run).join(trial.to_string()).join("log.txt")
}

/// The folder of all trials, in the run's folder.
pub(crate) fn trials_folder(run: &Path) -> PathBuf {
    run.join("trials")
}

/// Adds why a trial's worker was killed or died. A log that can't be written must not cost
/// anything, so mistakes are ignored.
pub(super) fn note(log: &Path, message: &str) {
    if let Some(folder) = log.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(log) {
        let _ = file.write_all(format!("supervisor: {message}\n").as_bytes());
    }
}
