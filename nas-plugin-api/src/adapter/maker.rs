//! Making components, of a library that is loaded here or in another process.

use std::sync::Arc;

use nas_plugin_abi::Bytes;
use serde_json::Value;

use super::cbor::encode;
use super::columns::Packed;
use super::remote::{Creation, Line, Remote};
use super::strategy::ContextData;
use super::{Library, benchmark, fitness, one_shot_strategy, operations, policy, space, strategy};
use crate::component::{
    Benchmark, Fitness, OneShotStrategy, OperationSet, SafetyPolicy, SearchSpace, SearchStrategy,
    StrategyContext,
};
use crate::error::PluginError;

/// Makes components. Whichever way they are made, the traits are the same.
pub enum Maker {
    /// Of a library in this process.
    Here(Library),
    /// Of a library in another process, which makes one component and ends with it.
    Elsewhere(Arc<dyn Line>),
}

impl Maker {
    /// Makes a set of operations.
    ///
    /// # Errors
    /// No such component, a configuration that it refuses, an interface that differs.
    pub fn operations(
        &self,
        name: &str,
        config: &Value,
    ) -> Result<Box<dyn OperationSet>, PluginError> {
        let object = self.make(name, config, None)?;
        Ok(Box::new(operations::Imported::new(object)?))
    }

    /// Makes a search space.
    ///
    /// # Errors
    /// Like [`Maker::operations`].
    pub fn space(&self, name: &str, config: &Value) -> Result<Box<dyn SearchSpace>, PluginError> {
        let object = self.make(name, config, None)?;
        Ok(Box::new(space::Imported { object }))
    }

    /// Makes a strategy.
    ///
    /// # Errors
    /// Like [`Maker::operations`].
    pub fn strategy(
        &self,
        name: &str,
        config: &Value,
        context: &StrategyContext,
    ) -> Result<Box<dyn SearchStrategy>, PluginError> {
        let object = self.make(name, config, Some(context))?;
        Ok(Box::new(strategy::Imported::new(object, context)))
    }

    /// Makes a one-shot strategy. One that is made elsewhere can be asked for its plan, and not for
    /// steps: those are taken where the supernet is.
    ///
    /// # Errors
    /// Like [`Maker::operations`].
    pub fn one_shot_strategy(
        &self,
        name: &str,
        config: &Value,
        context: &StrategyContext,
    ) -> Result<Box<dyn OneShotStrategy>, PluginError> {
        let object = self.make(name, config, Some(context))?;
        Ok(Box::new(one_shot_strategy::Imported::new(object)))
    }

    /// Makes a fitness function.
    ///
    /// # Errors
    /// Like [`Maker::operations`].
    pub fn fitness(&self, name: &str, config: &Value) -> Result<Box<dyn Fitness>, PluginError> {
        let object = self.make(name, config, None)?;
        Ok(Box::new(fitness::Imported::new(object)?))
    }

    /// Makes a safety policy.
    ///
    /// # Errors
    /// Like [`Maker::operations`].
    pub fn policy(&self, name: &str, config: &Value) -> Result<Box<dyn SafetyPolicy>, PluginError> {
        let object = self.make(name, config, None)?;
        Ok(Box::new(policy::Imported::new(object)?))
    }

    /// Makes a benchmark.
    ///
    /// # Errors
    /// Like [`Maker::operations`].
    pub fn benchmark(&self, name: &str, config: &Value) -> Result<Box<dyn Benchmark>, PluginError> {
        let object = self.make(name, config, None)?;
        Ok(Box::new(benchmark::Imported::new(object)))
    }

    fn make<O: Object>(
        &self,
        name: &str,
        config: &Value,
        context: Option<&StrategyContext>,
    ) -> Result<O, PluginError> {
        let context = match context {
            Some(context) => encode(&ContextData::of(context))?,
            None => Bytes::new(),
        };
        let creation = Creation {
            capability: O::ID.to_owned(),
            name: name.to_owned(),
            config: Packed(encode(config)?.into()),
            context: Packed(context.into()),
        };
        match self {
            Self::Here(library) => O::create(library, &creation),
            Self::Elsewhere(line) => Ok(Remote::create(line, creation)?.into()),
        }
    }
}

/// What a component is behind the binary interface.
pub(super) trait Object: From<Remote> + Sized {
    /// The id of the capability that makes it.
    const ID: &'static str;

    /// Makes it of a library in this process.
    fn create(library: &Library, creation: &Creation) -> Result<Self, PluginError>;
}
