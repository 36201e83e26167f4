//! A process of `nas-plugin-host`: how it is started, listened to, and surely ended.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How long pipes may stay open after the process was killed.
pub(super) const DRAIN: Duration = Duration::from_secs(1);
/// How much of what a library writes to standard error is kept.
const TAIL_BYTES: usize = 2048;
/// How much a library may write to standard error; then nobody reads it any more.
const STDERR_BYTES: u64 = 16 << 20;

/// A process of `nas-plugin-host`, leader of its own process group. Ends with this value.
#[derive(Debug)]
pub(super) struct HostProcess {
    child: Child,
    ended: Option<ProcessEnd>,
    stderr: Receiver<String>,
}

impl HostProcess {
    /// Starts the program with these arguments, and this process's number behind them.
    pub(super) fn start(program: &Path, arguments: &[&OsStr]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).arg(std::process::id().to_string());
        // The environment may hold secrets; where libraries are found is kept.
        command.env_clear().current_dir("/").process_group(0);
        if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", paths);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(command)?;
        let stderr = read_tail(child.stderr.take());
        Ok(Self { child, ended: None, stderr })
    }

    /// Its standard input and output, once.
    pub(super) fn pipes(&mut self) -> io::Result<(ChildStdin, ChildStdout)> {
        let pipes = self.child.stdin.take().zip(self.child.stdout.take());
        pipes.ok_or_else(|| io::Error::other("a pipe is missing"))
    }

    /// Ends the process and whatever it may have started; how it ended, which may have been before.
    pub(super) fn end(&mut self) -> io::Result<ProcessEnd> {
        if let Some(end) = &self.ended {
            return Ok(end.clone());
        }
        // Before it is waited for: its number, which is its group's too, is still its own.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let end = ProcessEnd::of(self.child.wait()?);
        Ok(self.ended.insert(end).clone())
    }

    /// The end of what it wrote to standard error, once it has ended.
    pub(super) fn last_words(&self) -> String {
        self.stderr.recv_timeout(DRAIN).unwrap_or_default()
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// How a process ended that did not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessEnd {
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
        /// After so long.
        limit: Duration,
    },
}

impl ProcessEnd {
    fn of(status: ExitStatus) -> Self {
        match (status.signal(), status.code()) {
            (Some(signal), _) => Self::Signal { signal },
            (None, code) => Self::Exited { code: code.unwrap_or(-1) },
        }
    }
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { signal } => {
                write!(out, "died of signal {signal} ({})", signal_name(*signal))
            }
            Self::Exited { code } => write!(out, "exited with code {code}"),
            Self::Unresponsive { limit } => {
                write!(out, "hung for {} s and was killed", limit.as_secs_f64())
            }
        }
    }
}

/// Starts a process from a thread that lives as long as this program: the signal by which the
/// process dies with its parent follows the thread that started it.
fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, SyncSender<io::Result<Child>>);
    static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();
    let gone = || io::Error::other("the thread that starts processes is gone");
    let orders = ORDERS.get_or_init(|| {
        let (orders, queue) = channel::<Order>();
        thread::spawn(move || {
            while let Ok((mut command, started)) = queue.recv() {
                // Whoever ordered it waits for it.
                let _ = started.send(command.spawn());
            }
        });
        orders
    });
    let (started, child) = sync_channel(1);
    orders.send((command, started)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

/// The end of what the process writes to standard error, when it has closed it.
fn read_tail(pipe: Option<ChildStderr>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut tail = VecDeque::with_capacity(2 * TAIL_BYTES);
        let mut buffer = [0; TAIL_BYTES];
        if let Some(pipe) = pipe {
            let mut pipe = pipe.take(STDERR_BYTES);
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                tail.extend(&buffer[..count]);
                tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
            }
        }
        let text = String::from_utf8_lossy(tail.make_contiguous()).into_owned();
        // Nobody listens where the process ended well.
        let _ = sender.send(text);
    });
    receiver
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
