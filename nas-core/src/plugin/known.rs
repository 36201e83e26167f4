//! Components that are known, and where each comes from.

use std::fmt;
use std::path::PathBuf;

use nas_plugin_api::component::ComponentInfo;

/// A component that could be created.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What it says of itself.
    pub info: ComponentInfo,
    /// Where it comes from.
    pub source: Source,
}

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// It is linked into this program.
    LinkedIn,
    /// It is in a library.
    Library(LibrarySource),
}

/// A library with components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibrarySource {
    /// The file.
    pub path: PathBuf,
    /// Hexadecimal sha256 of the file; only these bytes will be loaded.
    pub sha256: String,
    /// The crate's name.
    pub package: String,
    /// The crate's version.
    pub version: String,
}

/// A file on the search path that is a plugin and can't be used, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkedIn => out.write_str("this program itself"),
            Self::Library(library) => write!(out, "`{}`", library.path.display()),
        }
    }
}
