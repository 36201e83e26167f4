//! The process in which a plugin library is tried out, or one of its components runs, so that a
//! library that crashes, hangs or is evil takes nothing else with it. Started by `nas`; of no use to
//! people.
//!
//! `nas-plugin-host probe LIBRARY ROOT_SYMBOL PARENT` tries a library out;
//! `nas-plugin-host serve LIBRARY ROOT_SYMBOL PARENT` runs a component;
//! `nas-plugin-host rehearse PARENT` says how well it would be contained.

use std::ffi::OsString;
use std::process::ExitCode;

use nas_core::plugin::{isolated, probe};

/// For arguments that the host would not pass (`EX_USAGE` of BSD's sysexits.h).
const WRONG_ARGUMENTS: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some((parent, what)) = arguments.split_last() else { return WRONG_ARGUMENTS.into() };
    let Some(parent) = parent.to_str().and_then(|number| number.parse().ok()) else {
        return WRONG_ARGUMENTS.into();
    };
    let text = |argument: &OsString| argument.to_str().unwrap_or_default().to_owned();
    match what {
        [verb] if verb == "rehearse" => isolated::rehearsed(parent),
        [verb, library, symbol] if verb == "probe" => probe::serve(library, &text(symbol), parent),
        [verb, library, symbol] if verb == "serve" => {
            isolated::serve(library, &text(symbol), parent)
        }
        _ => WRONG_ARGUMENTS.into(),
    }
}
