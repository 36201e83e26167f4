//! One worker process: how it is started, measured, and surely ended.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, prlimit};

use super::confinement::{Walls, WorkerBounds};
use super::guard::Guard;
use super::reap::{self, Reaped};
use super::{ExecutorError, Exit};
use crate::budget::resources;

/// How many processor seconds the kernel allows more than the supervisor does.
const KERNEL_GRACE_SECONDS: u64 = 3;
/// How often, and after what pause, a program is started again that somebody writes to.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A worker process, leader of its own process group. Ends with this value.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    guard: Option<Guard>,
    reaped: Option<Reaped>,
}

/// The three pipes of a worker.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) requests: ChildStdin,
    pub(super) events: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    /// Starts a worker within its bounds; without any, it may do what the supervisor may. It dies
    /// when the *thread* that calls this ends, whatever the reason; the guard ends what the worker
    /// itself may have started.
    ///
    /// # Errors
    /// [`ExecutorError::NoWorker`] or [`ExecutorError::Start`].
    pub(super) fn start(
        program: &Path,
        bounds: Option<&WorkerBounds>,
        guard: Option<&Guard>,
    ) -> Result<(Self, Pipes), ExecutorError> {
        let start_error = |source| ExecutorError::Start { path: program.to_owned(), source };
        let walls = bounds.map(|bounds| Walls::around(program, bounds)).transpose();
        let walls = walls.map_err(start_error)?;
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let supervisor = rustix::process::getpid();
        let prepare = move || {
            harden(supervisor)?;
            walls.as_ref().map_or(Ok(()), Walls::enter)
        };
        // SAFETY: both make system calls only, as is required between fork and exec.
        unsafe { command.pre_exec(prepare) };
        let mut child = spawn(&mut command).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ExecutorError::NoWorker { path: program.to_owned() },
            _ => start_error(source),
        })?;
        let pid = Pid::from_child(&child);
        let process = Self { pid, guard: guard.cloned(), reaped: None };
        if let Some(guard) = guard {
            guard.watch(pid);
        }
        match take_pipes(&mut child) {
            Some(pipes) => Ok((process, pipes)),
            None => Err(start_error(io::Error::other("a pipe is missing"))),
        }
    }

    /// Processor seconds since its start; the last known ones once it is gone.
    pub(super) fn cpu_seconds(&self) -> f64 {
        match self.reaped {
            Some(reaped) => reaped.cpu_seconds,
            None => resources::cpu_seconds(self.pid).unwrap_or(0.0),
        }
    }

    /// Resident bytes.
    pub(super) fn resident_bytes(&self) -> u64 {
        match self.reaped {
            Some(_) => 0,
            None => resources::resident_bytes(self.pid).unwrap_or(0),
        }
    }

    /// Has the kernel end it some seconds after this much processor time, in case that the
    /// supervisor itself is halted and can't.
    pub(super) fn limit_cpu(&self, cpu_seconds: f64) {
        // Beyond 2^53 it is as good as none; the cast saturates.
        let current = (cpu_seconds < 9e15).then_some(cpu_seconds as u64 + KERNEL_GRACE_SECONDS);
        let maximum = getrlimit(Resource::Cpu).maximum;
        let _ = prlimit(Some(self.pid), Resource::Cpu, Rlimit { current, maximum });
    }

    /// Sends a signal to the worker and all processes of its group.
    pub(super) fn signal(&self, signal: Signal) {
        if self.reaped.is_none() {
            let _ = kill_process_group(self.pid, signal);
        }
    }

    /// Kills the worker and all processes of its group.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// How it ended, if it has; whatever it had started is killed then.
    pub(super) fn try_reap(&mut self) -> Option<Reaped> {
        if self.reaped.is_none() && reap::has_ended(self.pid) {
            self.reap();
        }
        self.reaped
    }

    /// The order matters: while the worker is not waited for, its number, which is also its
    /// group's, can't be given to another process.
    fn reap(&mut self) {
        self.kill();
        if let Some(guard) = &self.guard {
            guard.forget(self.pid);
        }
        let unknown = Reaped { exit: Exit::Signal(libc::SIGKILL), cpu_seconds: 0.0 };
        self.reaped = Some(reap::reap(self.pid).unwrap_or(unknown));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.reaped.is_none() {
            self.reap();
        }
    }
}

/// Starts a program; one that is being written, as by an installer, gets some time to be whole.
fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..BUSY_TRIES {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(BUSY_PAUSE);
            }
            result => return result,
        }
    }
    command.spawn()
}

fn take_pipes(child: &mut Child) -> Option<Pipes> {
    Some(Pipes {
        requests: child.stdin.take()?,
        events: child.stdout.take()?,
        stderr: child.stderr.take()?,
    })
}

/// Runs in the new process, before the worker's program does.
pub(super) fn harden(supervisor: Pid) -> io::Result<()> {
    // SAFETY: plain system calls on numbers and on memory of this function.
    unsafe {
        // The host may block signals in its threads; a worker must hear SIGTERM.
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut signals);
        check(libc::sigprocmask(libc::SIG_SETMASK, &raw const signals, std::ptr::null_mut()))?;
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        check(libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core))?;
        // When the whole machine runs out of memory, a worker goes before the supervisor.
        let score = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY);
        if score >= 0 {
            libc::write(score, c"500".as_ptr().cast(), 3);
            libc::close(score);
        }
    }
    // The supervisor may have died before the death signal was asked for.
    match rustix::process::getppid() == Some(supervisor) {
        true => Ok(()),
        false => Err(io::Error::from_raw_os_error(libc::ESRCH)),
    }
}

fn check(result: i32) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
