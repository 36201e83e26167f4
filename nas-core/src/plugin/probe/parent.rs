//! The side that has a library tried out.

use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::{Description, Phase, ProbeMessage};
use crate::plugin::PluginLoadError;
use crate::protocol::frame;

/// A library that can't describe itself in this time hangs.
pub(crate) const PROBE_SECONDS: u64 = 5;
/// How long pipes may stay open after the process was killed.
const DRAIN: Duration = Duration::from_secs(1);
/// A probe sends one message per phase.
const MAX_MESSAGES: usize = 16;
/// How much of what a library writes to standard error is kept.
const STDERR_BYTES: usize = 2048;

/// How a probe ended that did not finish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProbeEnd {
    /// It died of a signal.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// It ended by itself, too early.
    Exited {
        /// With this code.
        code: i32,
    },
    /// It did not get on and was killed.
    Unresponsive {
        /// After so many seconds.
        seconds: u64,
    },
}

impl fmt::Display for ProbeEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { signal } => {
                write!(out, "died of signal {signal} ({})", signal_name(*signal))
            }
            Self::Exited { code } => write!(out, "exited with code {code}"),
            Self::Unresponsive { seconds } => write!(out, "hung for {seconds} s and was killed"),
        }
    }
}

/// Has a library tried out; `original` is the file that messages name.
pub(crate) fn try_out(
    program: &Path,
    original: &Path,
    copy: &Path,
    root_symbol: &str,
) -> Result<Description, PluginLoadError> {
    let start = |source| PluginLoadError::Read { path: program.to_owned(), source };
    let mut child = command(program, copy, root_symbol).spawn().map_err(start)?;
    let messages = read_messages(&mut child);
    let stderr = read_tail(&mut child);

    let in_time = messages.recv_timeout(Duration::from_secs(PROBE_SECONDS));
    let hung = in_time.is_err();
    // A process that has said all or has died does not mind; its status stays what it was.
    let status = end(&mut child).map_err(start)?;
    let messages = in_time.or_else(|_| messages.recv_timeout(DRAIN)).unwrap_or_default();
    let stderr = stderr.recv_timeout(DRAIN).unwrap_or_default();

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
    let end = if hung { ProbeEnd::Unresponsive { seconds: PROBE_SECONDS } } else { end_of(status) };
    Err(PluginLoadError::ProbeCrashed { path: original.to_owned(), end, phase, stderr })
}

/// The environment is left behind, since it may hold secrets; where libraries are found is kept.
fn command(program: &Path, copy: &Path, root_symbol: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("probe").arg(copy).arg(root_symbol).arg(std::process::id().to_string());
    command.env_clear().current_dir("/").process_group(0);
    if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", paths);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Everything that the probe says, when it has closed its end.
fn read_messages(child: &mut Child) -> Receiver<Vec<ProbeMessage>> {
    let (sender, receiver) = channel();
    let pipe = child.stdout.take();
    thread::spawn(move || {
        let mut messages = Vec::new();
        if let Some(mut pipe) = pipe {
            while let Ok(Some(message)) = frame::read(&mut pipe) {
                let is_last = !matches!(message, ProbeMessage::Entered(_));
                messages.push(message);
                if is_last || messages.len() == MAX_MESSAGES {
                    break;
                }
            }
        }
        // Nobody listens any more where the probe was given up.
        let _ = sender.send(messages);
    });
    receiver
}

/// The end of what the probe writes to standard error, when it has closed it.
fn read_tail(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let pipe = child.stderr.take();
    thread::spawn(move || {
        let mut tail = VecDeque::with_capacity(STDERR_BYTES);
        let mut buffer = [0; STDERR_BYTES];
        if let Some(mut pipe) = pipe {
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                tail.extend(&buffer[..count]);
                tail.drain(..tail.len().saturating_sub(STDERR_BYTES));
            }
        }
        let text = String::from_utf8_lossy(tail.make_contiguous()).into_owned();
        let _ = sender.send(text);
    });
    receiver
}

/// Ends the process and whatever it may have started.
fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    if let Some(group) = rustix::process::Pid::from_raw(child.id() as i32) {
        // Fails where the group is gone already.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    child.wait()
}

fn end_of(status: ExitStatus) -> ProbeEnd {
    match (status.signal(), status.code()) {
        (Some(signal), _) => ProbeEnd::Signal { signal },
        (None, code) => ProbeEnd::Exited { code: code.unwrap_or(-1) },
    }
}

/// The signals of which a plugin may die; their numbers are the same on all our processors.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => "SIGILL, an instruction that this processor lacks",
        6 => "SIGABRT, it aborted",
        7 => "SIGBUS, memory that is not there",
        8 => "SIGFPE, an impossible division",
        9 => "SIGKILL, it was killed",
        11 => "SIGSEGV, memory that is not its own",
        24 => "SIGXCPU, the limit of processor time",
        25 => "SIGXFSZ, it tried to write a file",
        31 => "SIGSYS, a forbidden system call",
        _ => "unexpected here",
    }
}
