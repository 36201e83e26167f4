//! Plugins: finding libraries, checking them, loading them, and creating their components.
//!
//! A library is found ([`Places`]), read, inspected without running it, copied to where nobody
//! else can change it, tried out in a process that may be lost ([`probe`]), and only then known to
//! the [`Registry`].
//!
//! Inspecting and trying out tell broken libraries from working ones. They do not tell good from
//! evil. So a library is loaded into this process, for good, only if it is pinned as trusted
//! ([`Pins`]); each component of any other one runs in a process of its own ([`isolated`]).

mod capability;
mod check_config;
mod config_files;
mod create;
mod entry;
mod error;
mod examine;
mod host_process;
mod index;
mod inspect;
mod isolate;
pub mod isolated;
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
mod trust;

pub use check_config::{ConfigProblem, check_config};
pub use config_files::{ConfigFileError, read_config_files};
pub use error::PluginLoadError;
pub use host_process::ProcessEnd;
pub use inspect::SectionManifest;
pub use known::{Broken, Known, LibrarySource, Source};
pub use pinned::Pinned;
pub use places::Places;
pub use registry::{AllowedLibraries, Registry};
pub use timed::{CallError, Timed};
pub use trust::{Isolation, Pins, pin, unpin};
