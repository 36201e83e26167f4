//! Comparing where a run reads from and writes to with an organisation's rules.

use std::path::{Path, PathBuf};

use super::find::Organisation;
use crate::launch::Problem;
use crate::search::KeepWeights;
use crate::settings::Settings;

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
        problems
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
