//! Writing to stdout and stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::style;
use crate::error::HostError;
use crate::exit_code::ExitCode;

/// Writes what was asked for, and a line end, to stdout. A reader that went away (`nas runs |
/// head`) ends the program quietly.
pub(crate) fn data(text: impl Display) {
    let mut out = anstream::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        drop(out);
        if error.kind() == io::ErrorKind::BrokenPipe {
            ExitCode::Success.exit();
        }
        note(format!("can't write to stdout: {error}"));
        ExitCode::Files.exit();
    }
}

/// Writes a note to stderr.
pub(crate) fn note(text: impl Display) {
    // Nowhere is left to say that this failed.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes why a command failed to stderr.
pub(crate) fn error(error: &HostError) {
    let (red, plain) = (style::ERROR, style::ERROR.render_reset());
    match error {
        // Faults have places of their own and say `error` themselves.
        HostError::Configuration(faults) => note(faults),
        error => note(format!("{red}error{plain}: {error}")),
    }
}

/// Whether a progress bar makes sense.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}
