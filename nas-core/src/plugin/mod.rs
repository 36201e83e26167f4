//! Plugins: finding libraries, checking them, loading them, and creating their components.
//!
//! A library is found ([`Places`]), read, inspected without running it, copied to where nobody
//! else can change it, tried out in a process that may be lost ([`probe`]), and only then known to
//! the [`Registry`]. It is loaded into this process when one of its components is created, and
//! stays loaded.
//!
//! Inspecting and trying out tell broken libraries from working ones. They do not tell good from
//! evil: what is loaded here has the rights of this process, so pin what you trust by its sha256.

mod capability;
mod check_config;
mod config_files;
mod create;
mod error;
mod examine;
mod index;
mod inspect;
mod known;
mod library_file;
mod nearest;
mod open;
mod pinned;
mod places;
mod private_copy;
pub mod probe;
mod prune;
mod registry;
mod schema;
mod timed;

pub use check_config::{ConfigProblem, check_config};
pub use config_files::{ConfigFileError, read_config_files};
pub use error::PluginLoadError;
pub use inspect::SectionManifest;
pub use known::{Broken, Known, LibrarySource, Source};
pub use pinned::Pinned;
pub use places::Places;
pub use registry::{AllowedLibraries, Registry};
pub use timed::{CallError, Timed};
