//! Comparing what a run reads and writes with an organisation's rules.

use std::path::{Path, PathBuf};

use super::find::Organisation;
use crate::digest::sha256_of_source;
use crate::launch::Problem;
use crate::search::KeepWeights;
use crate::settings::{HoldoutSettings, Settings};

impl Organisation {
    /// Whether a run's data are of a kind, and in a place, that the rules allow.
    pub(super) fn check_data(&self, settings: &Settings) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Some(data) = &settings.data else { return problems };
        if let Some(formats) = &self.rules.data.formats
            && !formats.contains(&data.format)
        {
            let (own, allowed) = (word(&data.format), formats.iter().map(word));
            let allowed: Vec<String> = allowed.collect();
            let text = format!("`format` in `data` is {own}, and {} allows others", self.title());
            let problem = Problem::new("data.format", text);
            problems.push(problem.expecting(format!("one of {}", allowed.join(", "))));
        }
        if let (Some(path), Some(folders)) = (&data.path, &self.rules.data.folders) {
            problems.extend(self.check_place("data.path", path, folders));
        }
        if let (Some(path), Some(allowed)) = (&data.path, &self.rules.data.sha256) {
            problems.extend(self.check_content(path, allowed));
        }
        problems
    }

    /// Whether data are, byte for byte, among those that the rules list.
    fn check_content(&self, path: &Path, allowed: &[String]) -> Option<Problem> {
        let (title, path_text) = (self.title(), path.display());
        let text = match sha256_of_source(path) {
            Ok(sha256) if allowed.contains(&sha256) => return None,
            Ok(sha256) => {
                format!("`{path_text}` has sha256 {sha256}, which {title} does not allow")
            }
            Err(error) => {
                format!("`{path_text}` can't be read, and {title} lists what it may hold: {error}")
            }
        };
        Some(Problem::new("data.path", text).expecting("data that are listed there"))
    }

    /// Whether a run reads the holdout no more often than the rules allow; where it says nothing, it
    /// may read as often as both its default and they allow.
    pub(super) fn check_holdout(&self, settings: &mut Settings) -> Option<Problem> {
        let most = self.rules.holdout.queries?;
        let own = std::mem::replace(&mut settings.holdout.queries, most);
        if own <= most {
            settings.holdout.queries = own;
            return None;
        }
        let is_default = own == HoldoutSettings::default().queries;
        let text = format!("`queries` in `holdout` is {own}, and {} allows {most}", self.title());
        let problem = Problem::new("holdout.queries", text).expecting(format!("at most {most}"));
        (!is_default).then_some(problem)
    }

    /// Whether a run waits for signs of life no longer than the rules allow; one that says nothing
    /// waits as long as they do.
    pub(super) fn check_heartbeat(&self, settings: &mut Settings) -> Option<Problem> {
        let most = self.rules.stop.heartbeat?;
        let own = *settings.stop.heartbeat.get_or_insert(most);
        let text = format!("`heartbeat` in `stop` is {own}, and {} allows {most}", self.title());
        let problem = Problem::new("stop.heartbeat", text).expecting(format!("at most {most}"));
        (own > most).then_some(problem)
    }

    /// Whether a run writes out no more than the rules allow; what it leaves out is theirs.
    pub(super) fn check_export(&self, settings: &mut Settings) -> Vec<Problem> {
        let mut problems = Vec::new();
        let execution = &mut settings.execution;
        if let Some(most) = self.rules.export.weights
            && extent(execution.keep_weights) > extent(most)
        {
            let own = std::mem::replace(&mut execution.keep_weights, most);
            if own != KeepWeights::default() {
                let (own, most) = (word(&own), word(&most));
                let title = self.title();
                let text = format!("`keep_weights` is {own}, and {title} allows {most}");
                let problem = Problem::new("execution.keep_weights", text);
                problems.push(problem.expecting(most));
            }
        }
        if let Some(folders) = &self.rules.export.folders {
            problems.extend(self.check_place("execution.runs", &execution.runs, folders));
        }
        problems
    }

    /// Whether a path lies in one of these folders, wherever links lead.
    fn check_place(&self, key: &str, path: &Path, folders: &[PathBuf]) -> Option<Problem> {
        let beside = self.path.parent().unwrap_or(Path::new(""));
        let folders = folders.iter().map(|folder| resolved(&beside.join(folder)));
        let folders: Vec<PathBuf> = folders.collect();
        let place = resolved(path);
        if folders.iter().any(|folder| place.starts_with(folder)) {
            return None;
        }
        let names: Vec<String> =
            folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
        let text = format!(
            "`{key}` is `{}`, which is in none of the folders that {} allows",
            place.display(),
            self.title()
        );
        Some(Problem::new(key, text).expecting(format!("a path in {}", names.join(" or "))))
    }
}

/// How much is kept.
fn extent(keep: KeepWeights) -> u8 {
    match keep {
        KeepWeights::None => 0,
        KeepWeights::Best => 1,
        KeepWeights::All => 2,
    }
}

/// A setting's value as it is written.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Where a path leads: of one that is not there yet, where its folder leads.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(folder), Some(name)) => resolved(folder).join(name),
        _ => path,
    }
}
