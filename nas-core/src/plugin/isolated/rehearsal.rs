//! How well this machine contains the processes of components, found by trying.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::containment::{Bounds, Containment, contain};
use crate::plugin::entry::enter;
use crate::plugin::host_process::HostProcess;
use crate::plugin::{Places, PluginLoadError};
use crate::protocol::frame;

/// Contains a process as if it were to run a component; what of that this machine enforces.
///
/// # Errors
/// A program that is missing or can't be started.
pub fn rehearse(places: &Places) -> Result<Containment, PluginLoadError> {
    let program = places.host()?;
    let failed = |source| PluginLoadError::Read { path: program.to_owned(), source };
    let mut process = HostProcess::start(program, &["rehearse".as_ref()]).map_err(failed)?;
    let (_, mut answers) = process.pipes().map_err(failed)?;
    let silent = || failed(io::ErrorKind::UnexpectedEof.into());
    frame::read(&mut answers).map_err(failed)?.ok_or_else(silent)
}

/// The other side: what `nas-plugin-host` does for it.
#[must_use]
pub fn rehearsed(parent: u32) -> ExitCode {
    let bounds = Bounds::of_component(Path::new("/dev/null"));
    let told =
        enter(parent).and_then(|mut channel| frame::write(&mut channel.answers, &contain(&bounds)));
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
