//! The folder of a one-shot search's checkpoints: the worker writes, the supervisor removes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::journal::SearchHistory;
use crate::protocol::one_shot::Checkpoint;

/// Where the checkpoints of a run lie.
#[must_use]
pub fn checkpoint_folder(run: &Path) -> PathBuf {
    run.join("checkpoints")
}

/// The log of a run's one-shot search.
#[must_use]
pub fn search_log(run: &Path) -> PathBuf {
    run.join("supernet.log")
}

/// What is wrong with a checkpoint that a worker says is in place. Its digest is for the worker that
/// reads it.
pub(super) fn fault(folder: &Path, checkpoint: &Checkpoint) -> Option<String> {
    let Checkpoint { epoch, file, sha256 } = checkpoint;
    let is_plain = !file.is_empty() && !file.starts_with('.') && !file.contains(['/', '\0']);
    if !is_plain {
        return Some(format!("`{file}` can't be the name of a checkpoint's file"));
    }
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(format!("`{sha256}` is no sha256"));
    }
    let path = folder.join(file);
    match path.is_file() {
        true => None,
        false => Some(format!("there is no checkpoint `{}` of epoch {epoch}", path.display())),
    }
}

/// Removes all but the newest checkpoints of the epochs that the search stands on. One that can't
/// be removed costs disk and nothing else. What no epoch has told of is left alone.
pub(super) fn prune(folder: &Path, history: &SearchHistory, keep: u32) {
    let kept: BTreeSet<&str> = history
        .line()
        .rev()
        .take(keep.max(2) as usize)
        .map(|told| told.shown.checkpoint.file.as_str())
        .collect();
    for told in &history.epochs {
        let file = told.shown.checkpoint.file.as_str();
        if !kept.contains(file) {
            let _ = std::fs::remove_file(folder.join(file));
        }
    }
}
