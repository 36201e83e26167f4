//! All components that are known: linked into this program, or in libraries on the search path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;
use nas_plugin_api::adapter::{Library, Maker};
use nas_plugin_api::component::{ComponentKind, Registration};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::PluginLoadError;
use super::examine::{Examined, Memory, examine, make_ready_again};
use super::index::{Found, Index, Stamp};
use super::isolate::Trust;
use super::known::{Broken, Known, LibrarySource, Source};
use super::nearest::nearest;
use super::open::{check_interface, open};
use super::places::Places;
use crate::journal::ComponentRecord;
use crate::minisign;
use crate::protocol::one_shot::{self, ComponentSource};

/// All components that are known. A library is loaded when the first of its components is created.
pub struct Registry {
    pub(super) places: Places,
    known: Vec<Known>,
    broken: Vec<Broken>,
    /// Loaded libraries by digest; never unloaded.
    loaded: Mutex<BTreeMap<String, Library>>,
    /// What may be loaded; each of these must allow a library.
    allowed: Mutex<Vec<AllowedLibraries>>,
    pub(super) trust: Mutex<Trust>,
}

/// The libraries that an organisation's policy allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedLibraries {
    /// Whose policy, and where it lies, for messages.
    pub policy: String,
    /// Hexadecimal sha256 of each.
    pub sha256: Vec<String>,
    /// The public key of whoever may sign others.
    pub signer: Option<String>,
}

impl AllowedLibraries {
    /// Whether a library with this digest may be loaded: it is listed, or signed.
    #[must_use]
    pub fn allow(&self, library: &Path, sha256: &str) -> bool {
        let is_signed = |key: &String| is_signed(library, sha256, key);
        self.sha256.iter().any(|listed| listed == sha256)
            || self.signer.as_ref().is_some_and(is_signed)
    }

    /// What would be allowed, for messages.
    #[must_use]
    pub fn expected(&self) -> String {
        let listed = format!("one of the {} libraries in its `plugins.sha256`", self.sha256.len());
        match &self.signer {
            Some(key) => format!("{listed}, or one that {key} signed"),
            None => listed,
        }
    }
}

/// Whether the file has this digest and its signature, beside it, is of this key.
fn is_signed(library: &Path, sha256: &str, key: &str) -> bool {
    let Ok(key) = minisign::public_key(key) else { return false };
    let signature = std::fs::read_to_string(minisign::signature_file(library));
    let (Ok(bytes), Ok(signature)) = (std::fs::read(library), signature) else { return false };
    HEXLOWER.encode(&Sha256::digest(&bytes)) == sha256
        && minisign::verify(&bytes, &signature, &key).is_ok()
}

impl Registry {
    /// Only what is linked into this program.
    #[must_use]
    pub fn linked_in(places: Places) -> Self {
        let known = Registration::all()
            .into_iter()
            .map(|registration| Known { info: registration.info(), source: Source::LinkedIn })
            .collect();
        let trust = Mutex::new(Trust::of(&places));
        Self {
            places,
            known,
            broken: Vec::new(),
            loaded: Mutex::default(),
            allowed: Mutex::default(),
            trust,
        }
    }

    /// What is linked in and what the search path has. New libraries are tried out in a process of
    /// their own; known ones are not even read.
    ///
    /// # Errors
    /// A cache folder that can't be used. A library that can't be used is no error here: see
    /// [`Registry::broken`].
    pub fn scan(places: Places) -> Result<Self, PluginLoadError> {
        let mut registry = Self::linked_in(places);
        let mut index = Index::read(&registry.places.cache);
        for path in registry.places.candidates() {
            let Ok(stamp) = Stamp::of(&path) else { continue };
            if let Some(found) = index.found(&path, stamp) {
                registry.take(&path, found.clone());
                continue;
            }
            let (found, lasting) = match examine(&registry.places, &path, Memory::Trust) {
                Ok(examined) => (Found::Plugin(Box::new(examined)), true),
                Err(error) if error.is_no_plugin() => (Found::NoPlugin, true),
                Err(error @ PluginLoadError::Cache { .. }) => return Err(error),
                Err(error) => (Found::Broken(error.to_string()), error.is_lasting()),
            };
            if lasting {
                index.remember(&path, stamp, found.clone());
            }
            registry.take(&path, found);
        }
        index.write(&registry.places.cache)?;
        registry.sort();
        Ok(registry)
    }

    /// Adds one library by its path, wherever it lies. If it could not be used before, it is tried
    /// again.
    ///
    /// # Errors
    /// Anything that makes it unusable; here, a file that is no plugin is an error, too.
    pub fn add_library(&mut self, path: &Path) -> Result<(), PluginLoadError> {
        let read = |source| PluginLoadError::Read { path: path.to_owned(), source };
        let path = path.canonicalize().map_err(read)?;
        let examined = examine(&self.places, &path, Memory::RetryFailures)?;
        self.known.retain(|known| !is_of(known, &path));
        self.broken.retain(|broken| broken.path != path);
        self.take(&path, Found::Plugin(Box::new(examined)));
        self.sort();
        Ok(())
    }

    /// From now on, only libraries that are among these too are loaded.
    pub fn allow_only(&self, libraries: AllowedLibraries) {
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if !allowed.contains(&libraries) {
            allowed.push(libraries);
        }
    }

    /// All components, sorted by kind and name.
    #[must_use]
    pub fn components(&self) -> &[Known] {
        &self.known
    }

    /// Libraries on the search path that can't be used, with the reason.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Where libraries were looked for.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The component of this kind and name.
    ///
    /// # Errors
    /// `UnknownComponent`, with the name most like it; `Ambiguous` where several libraries have
    /// one. Copies of one library count once.
    pub fn find(&self, kind: ComponentKind, name: &str) -> Result<&Known, PluginLoadError> {
        let mut found: Vec<&Known> = Vec::new();
        for known in self.of_kind(kind).filter(|known| known.info.name == name) {
            if !found.iter().any(|other| same_bytes(&other.source, &known.source)) {
                found.push(known);
            }
        }
        match found.as_slice() {
            [] => Err(self.unknown(kind, name)),
            [known] => Ok(known),
            several => Err(PluginLoadError::Ambiguous {
                kind,
                name: name.to_owned(),
                sources: several.iter().map(|known| known.source.to_string()).collect(),
            }),
        }
    }

    /// Decides between several libraries that have a component of this kind and name: from now on,
    /// the one in `library` is it.
    ///
    /// # Errors
    /// `UnknownComponent`, unless that library is known and has the component.
    pub fn choose(
        &mut self,
        kind: ComponentKind,
        name: &str,
        library: &Path,
    ) -> Result<(), PluginLoadError> {
        let library = library.canonicalize().unwrap_or_else(|_| library.to_owned());
        let is_wanted = |known: &Known| known.info.kind == kind && known.info.name == name;
        if !self.known.iter().any(|known| is_wanted(known) && is_of(known, &library)) {
            return Err(self.unknown(kind, name));
        }
        self.known.retain(|known| !is_wanted(known) || is_of(known, &library));
        Ok(())
    }

    /// What the journal records of a component.
    ///
    /// # Errors
    /// Those of [`Registry::find`].
    pub fn record(
        &self,
        kind: ComponentKind,
        name: &str,
    ) -> Result<ComponentRecord, PluginLoadError> {
        let (library, sha256) = match &self.find(kind, name)?.source {
            Source::LinkedIn => (None, None),
            Source::Library(library) => {
                (Some(library.path.display().to_string()), Some(library.sha256.clone()))
            }
        };
        Ok(ComponentRecord { kind, name: name.to_owned(), library, sha256 })
    }

    /// Of which kind the strategy of this name is: a one-shot strategy if only such a one has the
    /// name, or if both do and a supernet is asked for.
    #[must_use]
    pub fn strategy_kind(&self, name: &str, wants_supernet: bool) -> ComponentKind {
        let has = |kind| self.of_kind(kind).any(|known| known.info.name == name);
        let is_one_shot = has(ComponentKind::OneShotStrategy);
        match is_one_shot && (wants_supernet || !has(ComponentKind::Strategy)) {
            true => ComponentKind::OneShotStrategy,
            false => ComponentKind::Strategy,
        }
    }

    /// What a worker needs to know to create a component.
    ///
    /// # Errors
    /// Those of [`Registry::find`].
    pub fn component_source(
        &self,
        kind: ComponentKind,
        name: &str,
        config: Value,
    ) -> Result<ComponentSource, PluginLoadError> {
        let library = match &self.find(kind, name)?.source {
            Source::LinkedIn => None,
            Source::Library(LibrarySource { path, sha256, .. }) => {
                let (path, sha256) = (path.clone(), sha256.clone());
                Some(one_shot::LibrarySource { path, sha256 })
            }
        };
        Ok(ComponentSource { kind, name: name.to_owned(), library, config })
    }

    /// What makes a component: its library, loaded if it is not yet, or a new process.
    pub(super) fn maker(&self, source: &Source) -> Result<Maker, PluginLoadError> {
        let Source::Library(LibrarySource { path, sha256, .. }) = source else {
            return Library::here()
                .map(Maker::Here)
                .map_err(|source| PluginLoadError::Interface { path: PathBuf::new(), source });
        };
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rule) = allowed.iter().find(|rule| !rule.allow(path, sha256)) {
            let (path, sha256, policy) = (path.clone(), sha256.clone(), rule.policy.clone());
            return Err(PluginLoadError::NotAllowed { path, sha256, policy });
        }
        drop(allowed);
        match self.is_isolated(source) {
            true => self.isolated(path, sha256),
            false => self.loaded(path, sha256).map(Maker::Here),
        }
    }

    fn loaded(&self, path: &Path, sha256: &str) -> Result<Library, PluginLoadError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = loaded.get(sha256) {
            return Ok(library.clone());
        }
        let ready = make_ready_again(&self.places, path, sha256)?;
        // Sound: these very bytes are trusted, and were loaded in a process of their own without harm.
        let header = unsafe { open(path, &ready.copy, &ready.inspected.root_symbol) }?;
        // Sound: the header comes from `open`.
        let library = unsafe { check_interface(path, header) }?;
        loaded.insert(sha256.to_owned(), library.clone());
        Ok(library)
    }

    fn of_kind(&self, kind: ComponentKind) -> impl Iterator<Item = &Known> {
        self.known.iter().filter(move |known| known.info.kind == kind)
    }

    fn unknown(&self, kind: ComponentKind, name: &str) -> PluginLoadError {
        let mut known: Vec<String> =
            self.of_kind(kind).map(|known| known.info.name.clone()).collect();
        known.dedup();
        PluginLoadError::UnknownComponent {
            kind,
            name: name.to_owned(),
            nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
            known,
            broken: self.broken.iter().map(|broken| broken.path.clone()).collect(),
        }
    }

    fn take(&mut self, path: &Path, found: Found) {
        match found {
            Found::NoPlugin => {}
            Found::Broken(reason) => self.broken.push(Broken { path: path.to_owned(), reason }),
            Found::Plugin(examined) => self.take_plugin(*examined),
        }
    }

    fn take_plugin(&mut self, examined: Examined) {
        let Examined { path, sha256, manifest, description, .. } = examined;
        for (kind, reason) in &description.unusable {
            let reason = format!("its {} components can't be used: {reason}", kind.name());
            self.broken.push(Broken { path: path.clone(), reason });
        }
        let source = Source::Library(LibrarySource {
            path,
            sha256,
            package: manifest.name,
            version: manifest.version,
        });
        let usable = description.manifest.components.into_iter();
        self.known.extend(
            usable
                .filter(|info| !description.unusable.contains_key(&info.kind))
                .map(|info| Known { info, source: source.clone() }),
        );
    }

    fn sort(&mut self) {
        // Stable: among equal names, the order of the search path stays.
        self.known.sort_by(|left, right| {
            (left.info.kind, &left.info.name).cmp(&(right.info.kind, &right.info.name))
        });
    }
}

fn is_of(known: &Known, path: &Path) -> bool {
    matches!(&known.source, Source::Library(library) if library.path == path)
}

fn same_bytes(left: &Source, right: &Source) -> bool {
    match (left, right) {
        (Source::Library(left), Source::Library(right)) => left.sha256 == right.sha256,
        (left, right) => left == right,
    }
}
