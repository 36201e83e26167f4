//! Where plugins are looked for, and where copies of them are kept.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::PluginLoadError;

/// The name of the program in which libraries are tried out and run.
const HOST_PROGRAM: &str = "nas-plugin-host";
/// The name of a list of trusted libraries. Who can write to the one beside this program can
/// replace the program, too.
const PINS: &str = "trusted-plugins.sha256";

/// Where plugins are looked for, and where copies of them are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Folders with libraries, and single libraries. Their order has no meaning: two libraries
    /// with a component of the same name are an error when that component is asked for.
    pub search: Vec<PathBuf>,
    /// The folder of private copies and descriptions.
    pub cache: PathBuf,
    /// Where the program in which libraries are tried out and run may be; the first one that exists
    /// is taken.
    pub hosts: Vec<PathBuf>,
    /// Files that list trusted libraries, see [`super::Pins`].
    pub pins: Vec<PathBuf>,
}

impl Places {
    /// The places of this user and this program:
    ///
    /// - `NAS_PLUGIN_PATH`, a list separated by colons;
    /// - the folder `plugins` beside this program, and the program's own folder;
    /// - `$XDG_DATA_HOME/nas/plugins` (by default in `~/.local/share`).
    ///
    /// Copies are kept in `$XDG_CACHE_HOME/nas/plugins` (by default in `~/.cache`). The program
    /// in which libraries are tried out and run is `NAS_PLUGIN_HOST`, or `nas-plugin-host` beside
    /// this program. Trusted libraries are listed beside this program, and in
    /// [`Places::own_pins`].
    #[must_use]
    pub fn from_environment() -> Self {
        let program = env::current_exe().unwrap_or_default();
        let beside = program.parent().unwrap_or(Path::new("."));
        let mut search: Vec<PathBuf> = env::var_os("NAS_PLUGIN_PATH")
            .map(|list| env::split_paths(&list).filter(|path| !is_empty(path)).collect())
            .unwrap_or_default();
        search.extend([beside.join("plugins"), beside.to_owned()]);
        search.extend(user_path("XDG_DATA_HOME", ".local/share", "plugins"));
        let cache = user_path("XDG_CACHE_HOME", ".cache", "plugins")
            .unwrap_or_else(|| env::temp_dir().join("nas-plugins"));
        let pins = [Some(beside.join(PINS)), Self::own_pins()].into_iter().flatten().collect();
        Self { search, cache, hosts: hosts(beside), pins }
    }

    /// Where this user lists trusted libraries: `nas/trusted-plugins.sha256` in `$XDG_CONFIG_HOME`
    /// (by default in `~/.config`). None for a user without a home.
    #[must_use]
    pub fn own_pins() -> Option<PathBuf> {
        user_path("XDG_CONFIG_HOME", ".config", PINS)
    }

    /// The program in which libraries are tried out and run.
    pub(super) fn host(&self) -> Result<&Path, PluginLoadError> {
        self.hosts
            .iter()
            .find(|path| path.is_file())
            .map(PathBuf::as_path)
            .ok_or_else(|| PluginLoadError::NoPluginHost { tried: self.hosts.clone() })
    }

    /// Everything that may be a library, each once, in the order of the search path and sorted
    /// within a folder.
    pub(super) fn candidates(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for place in &self.search {
            let mut found = match std::fs::read_dir(place) {
                Ok(entries) => entries
                    .filter_map(|entry| Some(entry.ok()?.path()))
                    .filter(|path| path.extension() == Some(OsStr::new("so")))
                    .collect(),
                Err(_) => vec![place.clone()],
            };
            found.sort();
            for path in found.into_iter().filter_map(|path| path.canonicalize().ok()) {
                if path.is_file() && !all.contains(&path) {
                    all.push(path);
                }
            }
        }
        all
    }
}

/// The programs to try, best first. Cargo puts test programs into a folder `deps` below that of
/// the others.
fn hosts(beside: &Path) -> Vec<PathBuf> {
    if let Some(path) = env::var_os("NAS_PLUGIN_HOST") {
        return vec![path.into()];
    }
    let mut hosts = vec![beside.join(HOST_PROGRAM)];
    if beside.ends_with("deps") {
        hosts.extend(beside.parent().map(|above| above.join(HOST_PROGRAM)));
    }
    hosts
}

/// Something of this framework's in one of the user's folders, as the XDG base directory specification
/// has it: a relative path in the variable does not count.
fn user_path(variable: &str, below_home: &str, what: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    env::var_os(variable)
        .map(PathBuf::from)
        .and_then(absolute)
        .or_else(|| env::home_dir().and_then(absolute).map(|home| home.join(below_home)))
        .map(|folder| folder.join("nas").join(what))
}

fn is_empty(path: &Path) -> bool {
    path.as_os_str().is_empty()
}
