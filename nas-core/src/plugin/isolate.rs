//! Which components of a registry run in a process of their own, and starting it.

use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use nas_plugin_api::adapter::Maker;

use super::examine::make_ready_again;
use super::isolated::IsolatedLibrary;
use super::known::Source;
use super::places::Places;
use super::trust::{Isolation, Pins};
use super::{PluginLoadError, Registry};

/// Longest that a call of an isolated component may take, if nobody says otherwise.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// Which libraries are loaded into this process, and how long the others may take to answer.
pub(super) struct Trust {
    pins: Pins,
    isolation: Isolation,
    call_limit: Duration,
}

impl Trust {
    /// As the lists in these places have it.
    pub(super) fn of(places: &Places) -> Self {
        let (pins, isolation) = (Pins::read(&places.pins), Isolation::Untrusted);
        Self { pins, isolation, call_limit: CALL_LIMIT }
    }
}

impl Registry {
    /// From now on, only libraries that are pinned here too are trusted.
    pub fn trust_only(&self, pins: &Pins) {
        self.trust().pins.keep(pins);
    }

    /// From now on, this is isolated at least.
    pub fn isolate(&self, isolation: Isolation) {
        let mut trust = self.trust();
        trust.isolation = trust.isolation.max(isolation);
    }

    /// How long one call of a component that is made from now on may take, if it is isolated.
    pub fn limit_calls(&self, limit: Duration) {
        self.trust().call_limit = limit;
    }

    /// Whether components from here run in a process of their own.
    #[must_use]
    pub fn is_isolated(&self, source: &Source) -> bool {
        match source {
            Source::LinkedIn => false,
            Source::Library(library) => {
                let trust = self.trust();
                trust.isolation == Isolation::All || !trust.pins.contains(&library.sha256)
            }
        }
    }

    /// A process for one component of a library.
    pub(super) fn isolated(&self, path: &Path, sha256: &str) -> Result<Maker, PluginLoadError> {
        let ready = make_ready_again(&self.places, path, sha256)?;
        let limit = self.trust().call_limit;
        let (program, root_symbol) = (self.places.host()?, &ready.inspected.root_symbol);
        let library = IsolatedLibrary::start(program, &ready.copy, root_symbol, limit)
            .map_err(|source| PluginLoadError::Isolate { path: path.to_owned(), source })?;
        Ok(Maker::Elsewhere(Arc::new(library)))
    }

    fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
