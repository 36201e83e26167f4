//! Ctrl-C and SIGTERM: once to stop when the running trials have ended, twice to stop now.

use std::io;
use std::thread;

use nas_core::search::StopSignal;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::output;

/// Passes signals on to a search, for as long as the process lives.
///
/// # Errors
/// A system that gives no handler.
pub(crate) fn forward_to(stop: &StopSignal) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let stop = stop.clone();
    thread::Builder::new().name("nas-signals".to_owned()).spawn(move || {
        for (count, _) in signals.forever().enumerate() {
            if count == 0 {
                output::note(
                    "Stopping when the running trials have ended; once more to stop now (they are \
                     tried again on resume).",
                );
                stop.stop();
            } else {
                stop.stop_now();
            }
        }
    })?;
    Ok(())
}
