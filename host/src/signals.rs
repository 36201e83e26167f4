//! Ctrl-C and SIGTERM: once to stop when the running trials have ended, twice to stop now; and the
//! end of a process that does not obey.

use std::io;
use std::thread;
use std::time::Duration;

use nas_core::search::StopSignal;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::exit_code::ExitCode;
use crate::output;

/// How long a search may take to end its workers once it is to stop at once: three times what it
/// gives workers that ignore SIGTERM.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often is looked whether it is to.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

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

/// Ends this process, and its workers with it, where a stop at once is not obeyed in time: the
/// search may hang in a plugin, or in writing to a terminal that stands still. So nothing is
/// written here either; the journal has all that counts.
///
/// # Errors
/// A system that gives no thread.
pub(crate) fn insist_on(stop: &StopSignal) -> io::Result<()> {
    let stop = stop.clone();
    thread::Builder::new().name("nas-insist".to_owned()).spawn(move || {
        while !stop.is_overdue() {
            thread::sleep(LOOK_INTERVAL);
        }
        thread::sleep(PATIENCE);
        if stop.is_overdue() {
            low_level::exit(i32::from(ExitCode::Interrupted.number()));
        }
    })?;
    Ok(())
}
