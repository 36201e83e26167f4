//! How a run began: its settings, and what takes part.

use std::path::PathBuf;

use nas_plugin_api::component::ComponentKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::organisation::FoundBy;
use crate::protocol::data::DataSummary;

/// How a run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The framework's version.
    pub version: String,
    /// The settings, resolved: every default written out.
    pub settings: Value,
    /// Where relative paths in the settings of components begin.
    #[serde(default)]
    pub folder: PathBuf,
    /// The run's seed.
    pub seed: u64,
    /// The components that take part, with the digests of their libraries.
    pub components: Vec<ComponentRecord>,
    /// Files that components were given, with their digests.
    pub files: Vec<FileRecord>,
    /// The data and their splits; absent with a benchmark.
    pub data: Option<DataSummary>,
}

/// An organisation's policy that holds for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganisationRecord {
    /// Whose it is.
    pub organisation: String,
    /// Its file.
    pub path: PathBuf,
    /// What named the file.
    pub found_by: FoundBy,
    /// Hexadecimal sha256 of the file.
    pub sha256: String,
    /// What the signature says of itself, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// What the file says.
    pub rules: Value,
}

/// A component that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentRecord {
    /// Its kind.
    pub kind: ComponentKind,
    /// Its name.
    pub name: String,
    /// The library it came from; absent if it is linked in.
    pub library: Option<String>,
    /// Hexadecimal sha256 of the library.
    pub sha256: Option<String>,
}

/// A file that a component was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its path.
    pub path: String,
    /// Hexadecimal sha256 of its content.
    pub sha256: String,
}
