//! What a library says of itself.

use nas_plugin_abi::{ABI_MAJOR, RVec};
use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode};
use crate::component::{ComponentInfo, Registration};
use crate::error::PluginError;

/// What a library says of itself when it is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Major version of the binary interface.
    pub abi: u32,
    /// Version of `nas-plugin-api` that it was built with.
    pub api_version: String,
    /// Its components, sorted by kind and name. Kinds that this version does not know are left
    /// out.
    #[serde(deserialize_with = "known_components")]
    pub components: Vec<ComponentInfo>,
}

/// A newer plugin may have components of kinds that are unknown here.
fn known_components<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ComponentInfo>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Known(Box<ComponentInfo>),
        Unknown(serde::de::IgnoredAny),
    }
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    let known = |entry| match entry {
        Entry::Known(info) => Some(*info),
        Entry::Unknown(_) => None,
    };
    Ok(entries.into_iter().filter_map(known).collect())
}

impl Manifest {
    /// The manifest of this binary, or of this library.
    #[must_use]
    pub fn here() -> Self {
        Self {
            abi: ABI_MAJOR,
            api_version: env!("CARGO_PKG_VERSION").to_owned(),
            components: Registration::all().into_iter().map(Registration::info).collect(),
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, PluginError> {
        decode(bytes)
    }
}

/// The manifest, encoded; empty if describing panics.
pub(crate) extern "C" fn manifest_bytes() -> RVec<u8> {
    super::guard::catch(|| encode(&Manifest::here())).unwrap_or_default()
}
