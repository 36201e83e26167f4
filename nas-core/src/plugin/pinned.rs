//! Creating components in a process that was told which libraries to load, and looks for none.

use std::path::{Path, PathBuf};

use nas_plugin_api::adapter::{Library, Maker};
use nas_plugin_api::component::{OneShotStrategy, OperationSet, SearchSpace, StrategyContext};
use nas_plugin_api::error::PluginError;

use super::PluginLoadError;
use super::examine::make_ready_again;
use super::open::{check_interface, open};
use super::places::Places;
use crate::protocol::one_shot::{ComponentSource, LibrarySource};

/// A component whose library is open.
pub struct Pinned {
    source: ComponentSource,
    maker: Maker,
}

impl Pinned {
    /// Opens the library of a component: the copy in `cache` where it is good, else the file
    /// itself, and in either case only the very bytes that the source names.
    ///
    /// # Errors
    /// A library that changed or can't be loaded.
    pub fn open(cache: &Path, source: &ComponentSource) -> Result<Self, PluginLoadError> {
        let library = match &source.library {
            None => Library::here()
                .map_err(|source| PluginLoadError::Interface { path: PathBuf::new(), source })?,
            Some(LibrarySource { path, sha256 }) => {
                let cache = cache.to_owned();
                let places = Places { cache, ..Places::default() };
                let ready = make_ready_again(&places, path, sha256)?;
                // Sound: the supervisor tried these very bytes out in a process of their own.
                let header = unsafe { open(path, &ready.copy, &ready.inspected.root_symbol) }?;
                // Sound: the header comes from `open`.
                unsafe { check_interface(path, header) }?
            }
        };
        Ok(Self { source: source.clone(), maker: Maker::Here(library) })
    }

    /// Creates it as a set of operations.
    ///
    /// # Errors
    /// What the library or the component says.
    pub fn operations(&self) -> Result<Box<dyn OperationSet>, PluginLoadError> {
        let ComponentSource { name, config, .. } = &self.source;
        self.created(self.maker.operations(name, config))
    }

    /// Creates it as a search space.
    ///
    /// # Errors
    /// What the library or the component says.
    pub fn space(&self) -> Result<Box<dyn SearchSpace>, PluginLoadError> {
        let ComponentSource { name, config, .. } = &self.source;
        self.created(self.maker.space(name, config))
    }

    /// Creates it as a one-shot strategy.
    ///
    /// # Errors
    /// What the library or the component says.
    pub fn one_shot_strategy(
        &self,
        context: &StrategyContext,
    ) -> Result<Box<dyn OneShotStrategy>, PluginLoadError> {
        let ComponentSource { name, config, .. } = &self.source;
        self.created(self.maker.one_shot_strategy(name, config, context))
    }

    fn created<T>(&self, made: Result<T, PluginError>) -> Result<T, PluginLoadError> {
        let ComponentSource { kind, name, library, .. } = &self.source;
        made.map_err(|source| PluginLoadError::Create {
            kind: *kind,
            name: name.clone(),
            origin: match library {
                Some(LibrarySource { path, .. }) => path.display().to_string(),
                None => "this program".to_owned(),
            },
            source,
        })
    }
}
