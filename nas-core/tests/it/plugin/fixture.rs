//! The libraries, and folders to keep them in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::SystemTime;

use nas_core::digest::sha256_of;
use nas_core::plugin::{Places, Registry, pin};
use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::trial::Fidelity;

/// The library of the fixture with this name.
///
/// `cargo test --workspace` builds the fixtures beside everything else. Where only this crate is
/// tested they may be missing, or older than their sources: then cargo is asked to build them.
pub(super) fn library(name: &str) -> PathBuf {
    static FRESH: Once = Once::new();
    let path = folder().join(format!("lib{name}.so"));
    FRESH.call_once(|| {
        let sources = ["tests/fixtures", "nas-plugin-api/src", "nas-plugin-api/abi/src"];
        let newest = sources.iter().filter_map(|folder| modified(&repository().join(folder))).max();
        if modified(&path) < newest {
            build();
        }
    });
    assert!(path.is_file(), "{} was not built", path.display());
    path
}

fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "nas-plugin-fixtures", "--examples"]);
    if folder().ends_with("release/examples") {
        cargo.arg("--release");
    }
    let target = folder().parent().and_then(Path::parent).map(Path::to_owned);
    cargo.current_dir(repository()).arg("--target-dir").arg(target.unwrap_or_default());
    let status = cargo.status().expect("cargo can be run");
    assert!(status.success(), "the fixtures can't be built");
}

/// Where cargo puts examples: this program is in `deps` beside it.
fn folder() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let profile = program.ancestors().nth(2).expect("this program is in target/PROFILE/deps");
    profile.join("examples")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// When a file was last written, or the last one of a folder; `None` where there is none.
fn modified(path: &Path) -> Option<SystemTime> {
    match fs::read_dir(path) {
        Ok(entries) => entries.filter_map(|entry| modified(&entry.ok()?.path())).max(),
        Err(_) => fs::metadata(path).and_then(|metadata| metadata.modified()).ok(),
    }
}

/// A folder for libraries and one for what is kept about them, both empty.
pub(super) struct Folders {
    pub(super) root: tempfile::TempDir,
    pub(super) places: Places,
}

impl Folders {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (search, cache) = (root.path().join("plugins"), root.path().join("cache"));
        fs::create_dir(&search).expect("an empty folder");
        let hosts = vec![env!("CARGO_BIN_EXE_nas-plugin-host").into()];
        let pins = vec![root.path().join("pins")];
        Self { root, places: Places { search: vec![search], cache, hosts, pins } }
    }

    /// Folders with these fixtures on the search path.
    pub(super) fn with(names: &[&str]) -> Self {
        let folders = Self::new();
        for name in names {
            folders.put(&format!("lib{name}.so"), &fs::read(library(name)).expect("the fixture"));
        }
        folders
    }

    /// The same, and they are trusted, so that they run in this process.
    pub(super) fn with_trusted(names: &[&str]) -> Self {
        let folders = Self::with(names);
        for name in names {
            let digest = sha256_of(&library(name)).expect("the fixture");
            pin(&folders.places.pins[0], &digest, name).expect("a folder");
        }
        folders
    }

    /// Both: nothing may depend on where a component runs.
    pub(super) fn isolated_and_trusted(names: &[&str]) -> [Self; 2] {
        [Self::with(names), Self::with_trusted(names)]
    }

    /// Puts a file on the search path.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.places.search[0].canonicalize().expect("a folder").join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    pub(super) fn scan(&self) -> Registry {
        Registry::scan(self.places.clone()).expect("the search path can be scanned")
    }

    /// What is said of one library that is named explicitly; empty if it can be used.
    pub(super) fn complaint(&self, path: &Path) -> String {
        let mut registry = Registry::linked_in(self.places.clone());
        let result = registry.add_library(path);
        result.map_or_else(|error| self.without_folders(&error.to_string()), |()| String::new())
    }

    /// A text in which paths do not depend on where the test runs.
    pub(super) fn without_folders(&self, text: &str) -> String {
        let root = self.root.path().canonicalize().expect("a folder");
        text.replace(&format!("{}/", root.display()), "")
    }
}

/// A context with a space of three choices.
pub(super) fn context() -> StrategyContext {
    let mut template = TemplateBuilder::new("test");
    let mut node = template.input([4, 8, 8]);
    for id in ["a", "b", "c"] {
        node = template.operation(id, &["conv", "pool", "skip"], node);
    }
    let output = template.global_avg_pool(node);
    StrategyContext {
        space: Space::new(template.finish(output).expect("a template")).expect("a space"),
        seed: 7,
        objectives: vec![Objective::maximize("validation_accuracy")],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    }
}
