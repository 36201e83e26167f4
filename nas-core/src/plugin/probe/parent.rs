//! The side that has a library tried out.

use std::path::Path;
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::message::{Description, Phase, ProbeMessage};
use crate::plugin::host_process::{DRAIN, HostProcess};
use crate::plugin::{PluginLoadError, ProcessEnd};
use crate::protocol::frame;

/// A library that can't describe itself in this time hangs.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// A probe sends one message per phase.
const MAX_MESSAGES: usize = 16;

/// Has a library tried out; `original` is the file that messages name.
pub(crate) fn try_out(
    program: &Path,
    original: &Path,
    copy: &Path,
    root_symbol: &str,
) -> Result<Description, PluginLoadError> {
    let start = |source| PluginLoadError::Read { path: program.to_owned(), source };
    let arguments = ["probe".as_ref(), copy.as_os_str(), root_symbol.as_ref()];
    let mut process = HostProcess::start(program, &arguments).map_err(start)?;
    let (_, answers) = process.pipes().map_err(start)?;
    let messages = read_messages(answers);

    let in_time = messages.recv_timeout(PROBE_LIMIT);
    let hung = in_time.is_err();
    // A process that has said all or has died does not mind; its status stays what it was.
    let end = process.end().map_err(start)?;
    let messages = in_time.or_else(|_| messages.recv_timeout(DRAIN)).unwrap_or_default();

    let mut phase = Phase::Starting;
    for message in messages {
        match message {
            ProbeMessage::Entered(entered) => phase = entered,
            ProbeMessage::Described(description) => return Ok(*description),
            ProbeMessage::Refused(reason) => {
                return Err(PluginLoadError::ProbeRefused {
                    path: original.to_owned(),
                    phase,
                    reason,
                });
            }
        }
    }
    let end = if hung { ProcessEnd::Unresponsive { limit: PROBE_LIMIT } } else { end };
    let stderr = process.last_words();
    Err(PluginLoadError::ProbeCrashed { path: original.to_owned(), end, phase, stderr })
}

/// Everything that the probe says, when it has closed its end.
fn read_messages(mut pipe: ChildStdout) -> Receiver<Vec<ProbeMessage>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut messages = Vec::new();
        while let Ok(Some(message)) = frame::read(&mut pipe) {
            let is_last = !matches!(message, ProbeMessage::Entered(_));
            messages.push(message);
            if is_last || messages.len() == MAX_MESSAGES {
                break;
            }
        }
        // Nobody listens any more where the probe was given up.
        let _ = sender.send(messages);
    });
    receiver
}
