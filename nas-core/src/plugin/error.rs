//! Why a plugin, or a component of one, can't be used.

use std::io;
use std::path::{Path, PathBuf};

use nas_plugin_api::adapter::LibraryError;
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::error::PluginError;

use super::probe::Phase;
use super::{CallError, ProcessEnd};

/// Why a plugin, or a component of one, can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginLoadError {
    /// The file can't be read.
    #[error("read plugin `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than any plugin.
    #[error("load plugin `{}`: it has {bytes} bytes, more than {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest accepted.
        limit: u64,
    },
    /// The file is no shared library for 64-bit ELF systems.
    #[error("load plugin `{}`: it is no 64-bit ELF shared library ({reason})", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file ends before what its header announces; loading it would kill this process.
    #[error(
        "load plugin `{}`: it is truncated, {what} needs {needed} bytes and the file has {found} \
         (copy or build it again)",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What lies outside of the file.
        what: &'static str,
        /// Where that ends.
        needed: u64,
        /// Where the file ends.
        found: u64,
    },
    /// The library is for another processor.
    #[error(
        "load plugin `{}`: it is built for {found}, this machine is {expected}",
        path.display()
    )]
    WrongMachine {
        /// The file.
        path: PathBuf,
        /// This machine's architecture.
        expected: &'static str,
        /// The library's, by its ELF number where it is not one of ours.
        found: String,
    },
    /// The library is no plugin.
    #[error(
        "load plugin `{}`: it exports no symbol `{prefix}…`, so it is no plugin (is \
         `export_plugin!` missing?)",
        path.display()
    )]
    NoRoot {
        /// The file.
        path: PathBuf,
        /// How the symbol's name would begin.
        prefix: &'static str,
    },
    /// Several plugin crates were linked into one library.
    #[error(
        "load plugin `{}`: it holds several plugin crates ({}); build each as a library of its \
         own",
        path.display(), symbols.join(", ")
    )]
    SeveralRoots {
        /// The file.
        path: PathBuf,
        /// The root symbols.
        symbols: Vec<String>,
    },
    /// The manifest section is missing or can't be read.
    #[error("load plugin `{}`: its section `{section}` {reason}", path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// The section's name.
        section: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The library was built for another major version of the interface.
    #[error(
        "load plugin `{}`: it speaks version {found} of the plugin interface, this host speaks \
         {expected} (build it with a `nas-plugin-api` of this host)",
        path.display()
    )]
    AbiMajor {
        /// The file.
        path: PathBuf,
        /// What the host speaks.
        expected: u32,
        /// What the library speaks.
        found: u32,
    },
    /// A panic in the library would end the process.
    #[error(
        "load plugin `{}`: it is built with panic = \"abort\", so a panic would end the search \
         (remove that line from its profile)",
        path.display()
    )]
    PanicAborts {
        /// The file.
        path: PathBuf,
    },
    /// The library links libtorch.
    #[error(
        "load plugin `{}`: it links `{library}`; plugins declare layer graphs and never link \
         libtorch",
        path.display()
    )]
    LinksLibtorch {
        /// The file.
        path: PathBuf,
        /// The library that it links.
        library: String,
    },
    /// The file is another one than when its components were listed.
    #[error(
        "load plugin `{}`: it has changed (sha256 {found}, was {expected}); start again to use \
         the new one",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The digest that was listed.
        expected: String,
        /// The digest found now.
        found: String,
    },
    /// The folder for private copies can't be used.
    #[error("use the plugin cache `{}`: {reason} (XDG_CACHE_HOME sets its place)", path.display())]
    Cache {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The list of trusted libraries can't be written.
    #[error("write the list of trusted plugins `{}`: {source}", path.display())]
    Pins {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A process for a component can't be started.
    #[error("start a process of its own for plugin `{}`: {source}", path.display())]
    Isolate {
        /// The library.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program that tries libraries out is missing.
    #[error(
        "find `nas-plugin-host`, in which plugins are tried out and run (looked at {}; \
         NAS_PLUGIN_HOST sets its place)",
        list(tried)
    )]
    NoPluginHost {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// The library ended or blocked the process in which it was tried out.
    #[error(
        "load plugin `{}`: trying it out, the process {end} while {phase}{}",
        path.display(), tail(stderr)
    )]
    ProbeCrashed {
        /// The library.
        path: PathBuf,
        /// How.
        end: ProcessEnd,
        /// What was being done.
        phase: Phase,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The library was tried out and found unusable.
    #[error("load plugin `{}`: {reason} (found while {phase})", path.display())]
    ProbeRefused {
        /// The library.
        path: PathBuf,
        /// What was being done.
        phase: Phase,
        /// Why.
        reason: String,
    },
    /// The system's loader refuses the library.
    #[error("load plugin `{}`: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// The library's interface does not fit.
    #[error("load plugin `{}`: {source}", path.display())]
    Interface {
        /// The file.
        path: PathBuf,
        /// How.
        source: LibraryError,
    },
    /// No library has such a component.
    #[error(
        "find {} `{name}`{}; known: {}{}",
        kind.name(), suggestion(nearest.as_ref()), words(known), broken_libraries(broken)
    )]
    UnknownComponent {
        /// The kind wanted.
        kind: ComponentKind,
        /// The name wanted.
        name: String,
        /// The name most like it.
        nearest: Option<String>,
        /// All names of this kind.
        known: Vec<String>,
        /// Libraries that could not be used, in one of which it may be.
        broken: Vec<PathBuf>,
    },
    /// An organisation's policy does not allow the library.
    #[error(
        "load plugin `{}` (sha256 {sha256}): {policy} does not allow it; have its digest added to \
         `plugins.sha256` there, or use another plugin",
        path.display()
    )]
    NotAllowed {
        /// The library.
        path: PathBuf,
        /// Its digest.
        sha256: String,
        /// Whose policy, and where it lies.
        policy: String,
    },
    /// Several libraries have a component of this kind and name.
    #[error(
        "choose between {} `{name}` of {}: name one of the libraries",
        kind.name(), sources.join(" and ")
    )]
    Ambiguous {
        /// The kind wanted.
        kind: ComponentKind,
        /// The name wanted.
        name: String,
        /// Where each comes from.
        sources: Vec<String>,
    },
    /// The component can't be made.
    #[error("create {} `{name}` of {origin}: {source}", kind.name())]
    Create {
        /// Its kind.
        kind: ComponentKind,
        /// Its name.
        name: String,
        /// The library that it comes from, or that it is linked in.
        origin: String,
        /// What it says.
        source: PluginError,
    },
    /// Creating the component took too long.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl PluginLoadError {
    /// Whether the file is merely something else: a scan passes over it in silence.
    #[must_use]
    pub fn is_no_plugin(&self) -> bool {
        matches!(self, Self::NoRoot { .. } | Self::NotElf { .. } | Self::TooLarge { .. })
    }

    /// Whether the same file would fail in the same way tomorrow.
    #[must_use]
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Read { .. } | Self::Cache { .. } | Self::NoPluginHost { .. } => false,
            // What it wants of the system may be installed later.
            Self::ProbeRefused { phase, .. } => *phase != Phase::Loading,
            Self::ProbeCrashed { end, .. } => !matches!(end, ProcessEnd::Unresponsive { .. }),
            _ => true,
        }
    }

    pub(super) fn cache(path: &Path, reason: impl ToString) -> Self {
        Self::Cache { path: path.to_owned(), reason: reason.to_string() }
    }
}

fn list(paths: &[PathBuf]) -> String {
    words(&paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>())
}

fn words(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn suggestion(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

fn broken_libraries(broken: &[PathBuf]) -> String {
    match broken {
        [] => String::new(),
        broken => format!("; libraries that can't be used: {}", list(broken)),
    }
}

fn tail(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        text => format!("; it wrote:\n{text}"),
    }
}
