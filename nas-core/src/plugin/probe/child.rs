//! The side that tries a library out: what `nas-plugin-host` does.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use nas_plugin_api::adapter::{Library, Manifest};
use nas_plugin_api::component::ComponentKind;

use super::message::{Description, Phase, ProbeMessage};
use crate::containment::{Bounds, contain};
use crate::plugin::PluginLoadError;
use crate::plugin::capability::capability;
use crate::plugin::entry::enter;
use crate::plugin::open::{check_interface, open};
use crate::protocol::frame;

/// Tries one library out and tells the parent process, whose number is `parent`, what it found.
///
/// The answer goes to where standard output pointed; whatever the library itself prints goes to
/// standard error.
#[must_use]
pub fn serve(library: &OsStr, root_symbol: &str, parent: u32) -> ExitCode {
    match probe(Path::new(library), root_symbol, parent) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads the pipe any more, or this process could not be set up.
        Err(_) => ExitCode::FAILURE,
    }
}

fn probe(library: &Path, root_symbol: &str, parent: u32) -> io::Result<()> {
    let mut channel = enter(parent)?.answers;
    frame::write(&mut channel, &ProbeMessage::Entered(Phase::Starting))?;
    let containment = contain(&Bounds::of_probe(library));
    let tried = try_out(library, root_symbol, |phase| {
        frame::write(&mut channel, &ProbeMessage::Entered(phase))
    })?;
    let last = match tried {
        Ok((manifest, unusable)) => {
            ProbeMessage::Described(Box::new(Description { manifest, unusable, containment }))
        }
        Err(reason) => ProbeMessage::Refused(reason),
    };
    frame::write(&mut channel, &last)
}

/// What a library says of itself, and the kinds that this host can't use; or why it can't be used.
type Tried = Result<(Manifest, BTreeMap<ComponentKind, String>), String>;

/// Loads the library and asks it what it is; says before each phase that it begins.
fn try_out(
    library: &Path,
    root_symbol: &str,
    mut enter: impl FnMut(Phase) -> io::Result<()>,
) -> io::Result<Tried> {
    enter(Phase::Loading)?;
    // Sound: this process is here to be lost.
    let header = match unsafe { open(library, library, root_symbol) } {
        Ok(header) => header,
        Err(error) => return Ok(Err(reason(&error))),
    };
    // Sound: the header comes from `open`.
    let check = || unsafe { check_interface(library, header) }.map_err(|error| reason(&error));
    enter(Phase::Describing)?;
    let first = match check() {
        Ok(first) => first,
        Err(reason) => return Ok(Err(reason)),
    };
    enter(Phase::SelfTest)?;
    Ok(check().and_then(|again| {
        let unusable = self_test(&first, again.manifest())?;
        Ok((first.manifest().clone(), unusable))
    }))
}

/// Compares what the library says with what it does; returns kinds that this host can't use.
fn self_test(
    library: &Library,
    again: &Manifest,
) -> Result<BTreeMap<ComponentKind, String>, String> {
    let manifest = library.manifest();
    if manifest != again {
        return Err("it describes itself differently each time".to_owned());
    }
    let mut seen = BTreeSet::new();
    let mut unusable = BTreeMap::new();
    for component in &manifest.components {
        let (kind, name) = (component.kind, component.name.as_str());
        if name.is_empty() || !seen.insert((kind, name)) {
            return Err(format!(
                "it has two components, {} `{name}`, or one without a name",
                kind.name()
            ));
        }
        match library.has(capability(kind)) {
            Ok(true) => {}
            Ok(false) => {
                unusable.insert(kind, format!("it lacks capability `{}`", capability(kind)));
            }
            Err(error) => {
                unusable.insert(kind, error.to_string());
            }
        }
    }
    Ok(unusable)
}

/// The error without the path, which the parent adds.
fn reason(error: &PluginLoadError) -> String {
    match error {
        PluginLoadError::Open { reason, .. } => reason.clone(),
        PluginLoadError::Interface { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
