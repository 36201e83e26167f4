//! A loaded library, or this binary itself.

use nas_plugin_abi::{
    ABI_MAJOR, AbiHeaderRef, BenchmarkModule_Ref, FitnessModule_Ref, OneShotStrategyModule_Ref,
    OperationsModule_Ref, PluginRoot_Ref, PolicyModule_Ref, ROption, RStr, SpaceModule_Ref,
    StableAbi, StrategyModule_Ref, compatible,
};

use super::{Manifest, benchmark, fitness, one_shot_strategy, operations, policy, space, strategy};
use crate::component::{Constructor, Registration};
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

    pub(super) fn module<M: StableAbi + Copy + 'static>(&self, id: &str) -> Result<M, PluginError> {
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

/// The end of a layout difference, which is where it says what differs.
fn last_lines(text: &str) -> String {
    const SHOWN: usize = 5;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}
