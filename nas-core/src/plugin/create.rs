//! Creating components, whichever way they are known.

use nas_plugin_api::adapter::Maker;
use nas_plugin_api::component::{
    Benchmark, ComponentKind, Fitness, OneShotStrategy, OperationSet, SafetyPolicy, SearchSpace,
    SearchStrategy, StrategyContext,
};
use nas_plugin_api::error::PluginError;
use serde_json::Value;

use super::{PluginLoadError, Registry};

/// Each takes a configuration that [`super::check_config()`] passed, loads the library if need be,
/// and gives the same trait object for a component that is linked in as for one that is loaded.
impl Registry {
    /// Creates a set of operations.
    ///
    /// # Errors
    /// A component that can't be found, a library that can't be loaded, a configuration that it
    /// refuses.
    pub fn operations(
        &self,
        name: &str,
        config: &Value,
    ) -> Result<Box<dyn OperationSet>, PluginLoadError> {
        self.create(ComponentKind::Operations, name, |maker| maker.operations(name, config))
    }

    /// Creates a search space.
    ///
    /// # Errors
    /// Like [`Registry::operations`].
    pub fn space(
        &self,
        name: &str,
        config: &Value,
    ) -> Result<Box<dyn SearchSpace>, PluginLoadError> {
        self.create(ComponentKind::Space, name, |maker| maker.space(name, config))
    }

    /// Creates a strategy.
    ///
    /// # Errors
    /// Like [`Registry::operations`].
    pub fn strategy(
        &self,
        name: &str,
        config: &Value,
        context: &StrategyContext,
    ) -> Result<Box<dyn SearchStrategy>, PluginLoadError> {
        self.create(ComponentKind::Strategy, name, |maker| maker.strategy(name, config, context))
    }

    /// Creates a one-shot strategy.
    ///
    /// # Errors
    /// Like [`Registry::operations`].
    pub fn one_shot_strategy(
        &self,
        name: &str,
        config: &Value,
        context: &StrategyContext,
    ) -> Result<Box<dyn OneShotStrategy>, PluginLoadError> {
        self.create(ComponentKind::OneShotStrategy, name, |maker| {
            maker.one_shot_strategy(name, config, context)
        })
    }

    /// Creates a fitness function.
    ///
    /// # Errors
    /// Like [`Registry::operations`].
    pub fn fitness(&self, name: &str, config: &Value) -> Result<Box<dyn Fitness>, PluginLoadError> {
        self.create(ComponentKind::Fitness, name, |maker| maker.fitness(name, config))
    }

    /// Creates a safety policy.
    ///
    /// # Errors
    /// Like [`Registry::operations`].
    pub fn policy(
        &self,
        name: &str,
        config: &Value,
    ) -> Result<Box<dyn SafetyPolicy>, PluginLoadError> {
        self.create(ComponentKind::Policy, name, |maker| maker.policy(name, config))
    }

    /// Creates a benchmark.
    ///
    /// # Errors
    /// Like [`Registry::operations`].
    pub fn benchmark(
        &self,
        name: &str,
        config: &Value,
    ) -> Result<Box<dyn Benchmark>, PluginLoadError> {
        self.create(ComponentKind::Benchmark, name, |maker| maker.benchmark(name, config))
    }

    fn create<T>(
        &self,
        kind: ComponentKind,
        name: &str,
        make: impl FnOnce(&Maker) -> Result<T, PluginError>,
    ) -> Result<T, PluginLoadError> {
        let source = &self.find(kind, name)?.source;
        make(&self.maker(source)?).map_err(|error| PluginLoadError::Create {
            kind,
            name: name.to_owned(),
            origin: source.to_string(),
            source: error,
        })
    }
}
