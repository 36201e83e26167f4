//! The process in which a plugin library is tried out, so that a library that crashes or hangs
//! takes nothing else with it. Started by the host; of no use to people.
//!
//! `nas-plugin-host probe LIBRARY ROOT_SYMBOL PARENT`

use std::ffi::OsString;
use std::process::ExitCode;

use nas_core::plugin::probe;

/// For arguments that the host would not pass (`EX_USAGE` of BSD's sysexits.h).
const WRONG_ARGUMENTS: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [verb, library, root_symbol, parent] if verb == "probe" => {
            match (root_symbol.to_str(), parent.to_str().and_then(|number| number.parse().ok())) {
                (Some(root_symbol), Some(parent)) => probe::serve(library, root_symbol, parent),
                _ => WRONG_ARGUMENTS.into(),
            }
        }
        _ => WRONG_ARGUMENTS.into(),
    }
}
