//! The side that has the component: what `nas-plugin-host` does for a search.

use std::ffi::OsStr;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;

use nas_plugin_api::adapter::{Reply, Served};
use nas_plugin_api::error::PluginError;

use crate::containment::{Bounds, close_files, contain};
use crate::plugin::PluginLoadError;
use crate::plugin::entry::{Channel, enter};
use crate::plugin::open::{check_interface, open};
use crate::protocol::frame;

/// Makes one component of a library, and calls it as the parent process, whose number is `parent`,
/// says, until that closes the pipe.
///
/// Calls and answers go to where standard input and output pointed; whatever the library itself
/// prints goes to standard error.
#[must_use]
pub fn serve(library: &OsStr, root_symbol: &str, parent: u32) -> ExitCode {
    match answer_all(Path::new(library), root_symbol, parent) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads the pipe any more, or this process could not be set up.
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer_all(library: &Path, root_symbol: &str, parent: u32) -> io::Result<()> {
    let Channel { calls, mut answers } = enter(parent)?;
    let mut calls = BufReader::new(calls);
    contain(&Bounds::of_component(library));
    let mut served = load(library, root_symbol);
    close_files();
    while let Some(call) = frame::read(&mut calls)? {
        let reply = match &mut served {
            Ok(served) => served.answer(call),
            Err(error) => Reply::failed(PluginError::internal(error.to_string())),
        };
        frame::write(&mut answers, &reply)?;
    }
    Ok(())
}

fn load(library: &Path, root_symbol: &str) -> Result<Served, PluginLoadError> {
    // Sound: this process is here to be lost.
    let header = unsafe { open(library, library, root_symbol) }?;
    // Sound: the header comes from `open`.
    unsafe { check_interface(library, header) }.map(Served::new)
}
