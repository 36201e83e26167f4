//! A loaded library, or this binary itself, as a source of components.

use nas_plugin_abi::{
    ABI_MAJOR, AbiHeaderRef, BenchmarkModule_Ref, FitnessModule_Ref, OneShotStrategyModule_Ref,
    OperationsModule_Ref, PluginRoot_Ref, PolicyModule_Ref, ROption, RSlice, RStr, SpaceModule_Ref,
    StableAbi, StrategyModule_Ref, compatible,
};
use serde_json::Value;

use super::cbor::{encode, receive};
use super::{Manifest, benchmark, fitness, one_shot_strategy, operations, policy, space, strategy};
use crate::component::{
    Benchmark, Constructor, Fitness, OneShotStrategy, OperationSet, Registration, SafetyPolicy,
    SearchSpace, SearchStrategy, StrategyContext,
};
use crate::error::{ErrorCode, PluginError};

/// The constructor of a component of this library.
pub(super) fn registered(
    name: &str,
    of_kind: impl Fn(&Constructor) -> bool,
) -> Result<Constructor, PluginError> {
    Registration::all()
        .into_iter()
        .find(|registration| registration.name == name && of_kind(&registration.constructor))
        .map(|registration| registration.constructor)
        .ok_or_else(|| {
            let text = format!("find component `{name}` of this kind in the library");
            PluginError::new(ErrorCode::UnknownComponent, text)
        })
}

/// A library whose interface was checked.
#[derive(Clone)]
pub struct Library {
    root: PluginRoot_Ref,
    manifest: Manifest,
}

/// Why a library can't be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The root symbol does not lead to an interface of this framework.
    #[error("the library's header can't be read: {reason}")]
    Header {
        /// What is wrong with it.
        reason: String,
    },
    /// The root module is another one.
    #[error("the library's root module differs from this host's: {difference}")]
    Layout {
        /// How.
        difference: String,
    },
    /// The library was built for another major version of the interface.
    #[error("the library speaks version {found} of the plugin interface, this host {expected}")]
    AbiVersion {
        /// What the host speaks.
        expected: u32,
        /// What the library speaks.
        found: u32,
    },
    /// The library can't describe itself.
    #[error("the library's manifest can't be read: {reason}")]
    Manifest {
        /// Why.
        reason: String,
    },
}

impl Library {
    /// What is linked into this binary, behind the same adapters and guards as what is loaded.
    ///
    /// # Errors
    /// Components that can't describe themselves.
    pub fn here() -> Result<Self, LibraryError> {
        Self::of_root(crate::export::root())
    }

    /// Checks a library that was just opened.
    ///
    /// # Errors
    /// Anything about its interface that does not fit.
    ///
    /// # Safety
    /// `header` is the value of the library's root symbol, and the library stays loaded for ever.
    pub unsafe fn from_header(header: AbiHeaderRef) -> Result<Self, LibraryError> {
        let header =
            header.upgrade().map_err(|error| LibraryError::Header { reason: error.to_string() })?;
        let layout = header
            .layout()
            .ok_or_else(|| LibraryError::Header { reason: "it hides its layout".to_owned() })?;
        compatible(PluginRoot_Ref::LAYOUT, layout)
            .map_err(|difference| LibraryError::Layout { difference: last_lines(&difference) })?;
        // Sound: the layouts were just found compatible.
        let root = unsafe { header.init_root_module_with_unchecked_layout::<PluginRoot_Ref>() }
            .map_err(|error| LibraryError::Header { reason: last_lines(&error.to_string()) })?;
        Self::of_root(root)
    }

    fn of_root(root: PluginRoot_Ref) -> Result<Self, LibraryError> {
        let manifest = Manifest::read(&(root.manifest())())
            .map_err(|error| LibraryError::Manifest { reason: error.to_string() })?;
        match manifest.abi == ABI_MAJOR {
            true => Ok(Self { root, manifest }),
            false => Err(LibraryError::AbiVersion { expected: ABI_MAJOR, found: manifest.abi }),
        }
    }

    /// What the library says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether a capability is there and of a layout that this host understands.
    ///
    /// # Errors
    /// A capability that differs; one that is absent is `Ok(false)`.
    pub fn has(&self, id: &str) -> Result<bool, PluginError> {
        match id {
            operations::ID => self.query::<OperationsModule_Ref>(id).map(|m| m.is_some()),
            space::ID => self.query::<SpaceModule_Ref>(id).map(|m| m.is_some()),
            strategy::ID => self.query::<StrategyModule_Ref>(id).map(|m| m.is_some()),
            one_shot_strategy::ID => {
                self.query::<OneShotStrategyModule_Ref>(id).map(|m| m.is_some())
            }
            fitness::ID => self.query::<FitnessModule_Ref>(id).map(|m| m.is_some()),
            policy::ID => self.query::<PolicyModule_Ref>(id).map(|m| m.is_some()),
            benchmark::ID => self.query::<BenchmarkModule_Ref>(id).map(|m| m.is_some()),
            _ => Ok(false),
        }
    }

    /// Makes a set of operations.
    ///
    /// # Errors
    /// No such component, a configuration that it refuses, an interface that differs.
    pub fn operations(
        &self,
        name: &str,
        config: &Value,
    ) -> Result<Box<dyn OperationSet>, PluginError> {
        let module: OperationsModule_Ref = self.module(operations::ID)?;
        let object = receive((module.create())(name.into(), bytes(&encode(config)?)))?;
        Ok(Box::new(operations::Imported::new(object)?))
    }

    /// Makes a search space.
    ///
    /// # Errors
    /// Like [`Library::operations`].
    pub fn space(&self, name: &str, config: &Value) -> Result<Box<dyn SearchSpace>, PluginError> {
        let module: SpaceModule_Ref = self.module(space::ID)?;
        let object = receive((module.create())(name.into(), bytes(&encode(config)?)))?;
        Ok(Box::new(space::Imported { object }))
    }

    /// Makes a strategy.
    ///
    /// # Errors
    /// Like [`Library::operations`].
    pub fn strategy(
        &self,
        name: &str,
        config: &Value,
        context: &StrategyContext,
    ) -> Result<Box<dyn SearchStrategy>, PluginError> {
        let module: StrategyModule_Ref = self.module(strategy::ID)?;
        let data = encode(&strategy::ContextData::of(context))?;
        let object =
            receive((module.create())(name.into(), bytes(&encode(config)?), bytes(&data)))?;
        Ok(Box::new(strategy::Imported::new(object, context)))
    }

    /// Makes a one-shot strategy.
    ///
    /// # Errors
    /// Like [`Library::operations`].
    pub fn one_shot_strategy(
        &self,
        name: &str,
        config: &Value,
        context: &StrategyContext,
    ) -> Result<Box<dyn OneShotStrategy>, PluginError> {
        let module: OneShotStrategyModule_Ref = self.module(one_shot_strategy::ID)?;
        let data = encode(&strategy::ContextData::of(context))?;
        let object =
            receive((module.create())(name.into(), bytes(&encode(config)?), bytes(&data)))?;
        Ok(Box::new(one_shot_strategy::Imported::new(object)))
    }

    /// Makes a fitness function.
    ///
    /// # Errors
    /// Like [`Library::operations`].
    pub fn fitness(&self, name: &str, config: &Value) -> Result<Box<dyn Fitness>, PluginError> {
        let module: FitnessModule_Ref = self.module(fitness::ID)?;
        let object = receive((module.create())(name.into(), bytes(&encode(config)?)))?;
        Ok(Box::new(fitness::Imported::new(object)?))
    }

    /// Makes a safety policy.
    ///
    /// # Errors
    /// Like [`Library::operations`].
    pub fn policy(&self, name: &str, config: &Value) -> Result<Box<dyn SafetyPolicy>, PluginError> {
        let module: PolicyModule_Ref = self.module(policy::ID)?;
        let object = receive((module.create())(name.into(), bytes(&encode(config)?)))?;
        Ok(Box::new(policy::Imported::new(object)?))
    }

    /// Makes a benchmark.
    ///
    /// # Errors
    /// Like [`Library::operations`].
    pub fn benchmark(&self, name: &str, config: &Value) -> Result<Box<dyn Benchmark>, PluginError> {
        let module: BenchmarkModule_Ref = self.module(benchmark::ID)?;
        let object = receive((module.create())(name.into(), bytes(&encode(config)?)))?;
        Ok(Box::new(benchmark::Imported::new(object)))
    }

    fn module<M: StableAbi + Copy + 'static>(&self, id: &str) -> Result<M, PluginError> {
        self.query(id)?.ok_or_else(|| {
            PluginError::unsupported(format!("use capability `{id}`: the library lacks it"))
        })
    }

    fn query<M: StableAbi + Copy + 'static>(&self, id: &str) -> Result<Option<M>, PluginError> {
        match (self.root.extension())(RStr::from_str(id)) {
            ROption::RNone => Ok(None),
            ROption::RSome(extension) => extension.module::<M>().map(Some).map_err(|difference| {
                let text = format!("use capability `{id}`: {}", last_lines(&difference));
                PluginError::unsupported(text)
            }),
        }
    }
}

fn bytes(bytes: &[u8]) -> RSlice<'_, u8> {
    RSlice::from_slice(bytes)
}

/// The end of a layout difference, which is where it says what differs.
fn last_lines(text: &str) -> String {
    const SHOWN: usize = 5;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}
