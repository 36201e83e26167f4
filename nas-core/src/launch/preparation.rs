//! What a search's parts are made with, and what was found wrong meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Problem;
use crate::journal::FileRecord;
use crate::organisation::Organisation;
use crate::plugin::Registry;
use crate::settings::Settings;

/// What a search's parts are made with; each kind of part has a file that makes it.
pub(super) struct Preparation {
    pub(super) registry: Arc<Registry>,
    pub(super) folder: PathBuf,
    pub(super) limit: Duration,
    pub(super) problems: Vec<Problem>,
    pub(super) files: Vec<FileRecord>,
    pub(super) organisation: Option<Organisation>,
    /// What trials get where nothing is trained: from a benchmark, or with inherited weights.
    pub(super) delivers: Option<Vec<String>>,
}

impl Preparation {
    pub(super) fn new(settings: &Settings, registry: &Arc<Registry>, folder: &Path) -> Self {
        let limit = Duration::from_secs_f64(settings.execution.plugin_seconds);
        registry.isolate(settings.execution.isolation.unwrap_or_default());
        registry.limit_calls(limit);
        Self {
            registry: Arc::clone(registry),
            folder: folder.to_owned(),
            limit,
            problems: Vec::new(),
            files: Vec::new(),
            organisation: None,
            delivers: None,
        }
    }
}
