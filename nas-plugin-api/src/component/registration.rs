//! How components are found, whether linked in or loaded.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Benchmark, Configuration, Fitness, OneShotStrategy, OperationSet, SafetyPolicy, SearchSpace,
    SearchStrategy, StrategyContext,
};
use crate::error::PluginError;

/// Kinds of components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ComponentKind {
    /// [`OperationSet`]
    Operations,
    /// [`SearchSpace`]
    Space,
    /// [`SearchStrategy`]
    Strategy,
    /// [`OneShotStrategy`]
    OneShotStrategy,
    /// [`Fitness`]
    Fitness,
    /// [`SafetyPolicy`]
    Policy,
    /// [`Benchmark`]
    Benchmark,
}

impl ComponentKind {
    /// The word that configurations, messages and the book use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Space => "space",
            Self::Strategy => "strategy",
            Self::OneShotStrategy => "one-shot strategy",
            Self::Fitness => "fitness",
            Self::Policy => "policy",
            Self::Benchmark => "benchmark",
        }
    }
}

/// What every component has besides its kind's trait.
pub trait Component: Sized + 'static {
    /// The name by which configurations refer to it, unique in its kind.
    const NAME: &'static str;
    /// What it is, in one line.
    const SUMMARY: &'static str;
    /// What users may set.
    type Config: Configuration;
    /// What it is created with besides: [`StrategyContext`] for strategies, nothing for others.
    type Context;

    /// Makes one.
    ///
    /// # Errors
    /// A configuration or a context that it can't work with.
    fn create(config: Self::Config, context: Self::Context) -> Result<Self, PluginError>;
}

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentInfo {
    /// Its kind.
    pub kind: ComponentKind,
    /// Its name.
    pub name: String,
    /// What it is, in one line.
    pub summary: String,
    /// JSON Schema of its configuration.
    pub schema: Value,
    /// Its default configuration.
    pub defaults: Value,
}

/// A component of this crate, as [`crate::export_plugin!`] registers it.
pub struct Registration {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    schema: fn() -> Value,
    defaults: fn() -> Value,
    /// Makes one.
    pub constructor: Constructor,
}

inventory::collect!(Registration);

/// Makes a component of one kind from its configuration.
#[derive(Clone, Copy)]
#[non_exhaustive]
#[expect(missing_docs, reason = "one variant per component kind, named like it")]
pub enum Constructor {
    Operations(fn(Value) -> Result<Box<dyn OperationSet>, PluginError>),
    Space(fn(Value) -> Result<Box<dyn SearchSpace>, PluginError>),
    Strategy(fn(Value, StrategyContext) -> Result<Box<dyn SearchStrategy>, PluginError>),
    OneShotStrategy(fn(Value, StrategyContext) -> Result<Box<dyn OneShotStrategy>, PluginError>),
    Fitness(fn(Value) -> Result<Box<dyn Fitness>, PluginError>),
    Policy(fn(Value) -> Result<Box<dyn SafetyPolicy>, PluginError>),
    Benchmark(fn(Value) -> Result<Box<dyn Benchmark>, PluginError>),
}

impl Constructor {
    /// The kind of what is made.
    #[must_use]
    pub fn kind(&self) -> ComponentKind {
        match self {
            Self::Operations(_) => ComponentKind::Operations,
            Self::Space(_) => ComponentKind::Space,
            Self::Strategy(_) => ComponentKind::Strategy,
            Self::OneShotStrategy(_) => ComponentKind::OneShotStrategy,
            Self::Fitness(_) => ComponentKind::Fitness,
            Self::Policy(_) => ComponentKind::Policy,
            Self::Benchmark(_) => ComponentKind::Benchmark,
        }
    }
}

impl Registration {
    /// All components of this binary, or of this library, sorted by kind and name.
    #[must_use]
    pub fn all() -> Vec<&'static Self> {
        let mut all: Vec<&'static Self> = inventory::iter::<Self>.into_iter().collect();
        all.sort_by_key(|registration| (registration.kind(), registration.name));
        all
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ComponentKind {
        self.constructor.kind()
    }

    /// What the component says of itself.
    #[must_use]
    pub fn info(&self) -> ComponentInfo {
        ComponentInfo {
            kind: self.kind(),
            name: self.name.to_owned(),
            summary: self.summary.to_owned(),
            schema: (self.schema)(),
            defaults: (self.defaults)(),
        }
    }

    const fn new<C: Component>(constructor: Constructor) -> Self {
        Self {
            name: C::NAME,
            summary: C::SUMMARY,
            schema: schema_of::<C::Config>,
            defaults: defaults_of::<C::Config>,
            constructor,
        }
    }

    /// Registers a set of operations.
    #[must_use]
    pub const fn operations<C: OperationSet + Component<Context = ()>>() -> Self {
        Self::new::<C>(Constructor::Operations(|config| {
            Ok(Box::new(C::create(read_config(config)?, ())?))
        }))
    }

    /// Registers a search space.
    #[must_use]
    pub const fn space<C: SearchSpace + Component<Context = ()>>() -> Self {
        Self::new::<C>(Constructor::Space(|config| {
            Ok(Box::new(C::create(read_config(config)?, ())?))
        }))
    }

    /// Registers a strategy.
    #[must_use]
    pub const fn strategy<C: SearchStrategy + Component<Context = StrategyContext>>() -> Self {
        Self::new::<C>(Constructor::Strategy(|config, context| {
            Ok(Box::new(C::create(read_config(config)?, context)?))
        }))
    }

    /// Registers a one-shot strategy.
    #[must_use]
    pub const fn one_shot_strategy<C: OneShotStrategy + Component<Context = StrategyContext>>()
    -> Self {
        Self::new::<C>(Constructor::OneShotStrategy(|config, context| {
            Ok(Box::new(C::create(read_config(config)?, context)?))
        }))
    }

    /// Registers a fitness function.
    #[must_use]
    pub const fn fitness<C: Fitness + Component<Context = ()>>() -> Self {
        Self::new::<C>(Constructor::Fitness(|config| {
            Ok(Box::new(C::create(read_config(config)?, ())?))
        }))
    }

    /// Registers a safety policy.
    #[must_use]
    pub const fn policy<C: SafetyPolicy + Component<Context = ()>>() -> Self {
        Self::new::<C>(Constructor::Policy(|config| {
            Ok(Box::new(C::create(read_config(config)?, ())?))
        }))
    }

    /// Registers a benchmark.
    #[must_use]
    pub const fn benchmark<C: Benchmark + Component<Context = ()>>() -> Self {
        Self::new::<C>(Constructor::Benchmark(|config| {
            Ok(Box::new(C::create(read_config(config)?, ())?))
        }))
    }
}

fn schema_of<C: Configuration>() -> Value {
    schemars::schema_for!(C).to_value()
}

fn defaults_of<C: Configuration>() -> Value {
    serde_json::to_value(C::default()).unwrap_or(Value::Null)
}

fn read_config<C: Configuration>(config: Value) -> Result<C, PluginError> {
    let config = if config.is_null() { Value::Object(serde_json::Map::new()) } else { config };
    serde_json::from_value(config).map_err(|error| PluginError::configuration(error.to_string()))
}
