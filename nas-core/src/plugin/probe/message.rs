//! What a probe tells.

use std::collections::BTreeMap;
use std::fmt;

use nas_plugin_api::adapter::Manifest;
use nas_plugin_api::component::ComponentKind;
use serde::{Deserialize, Serialize};

use crate::containment::Containment;

/// One message from a probe; it sends them in the order of its work and ends after the last.
#[derive(Serialize, Deserialize)]
pub(super) enum ProbeMessage {
    /// It begins with this.
    Entered(Phase),
    /// The library can't be used.
    Refused(String),
    /// The library can be used.
    Described(Box<Description>),
}

/// What a probe is doing; its last word where it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// The process starts and gives up its rights.
    Starting,
    /// The library is loaded, which runs its constructors.
    Loading,
    /// The library describes itself.
    Describing,
    /// The description is asked for again, and each capability's layout is compared.
    SelfTest,
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Starting => "starting, before it touched the plugin",
            Self::Loading => "loading it and running its constructors",
            Self::Describing => "asking it to describe itself",
            Self::SelfTest => "testing what it described",
        })
    }
}

/// What is known of a library that was tried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Kinds of components that this host can't use, with the reason; the others work.
    pub unusable: BTreeMap<ComponentKind, String>,
    /// How well the library was contained when it was tried out.
    pub containment: Containment,
}
