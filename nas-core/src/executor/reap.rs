//! The end of a child process, with the exact account that the kernel kept of it.

use std::io;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::Exit;

/// A child process that is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reaped {
    /// How it ended.
    pub(super) exit: Exit,
    /// All it ever used, and all that children it waited for used.
    pub(super) cpu_seconds: f64,
}

/// Whether this child has ended. It keeps its number, and its process group with it, until
/// [`reap`], so that signals can't hit a stranger.
pub(super) fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

/// Waits until this child has ended and forgets it.
///
/// # Errors
/// When it is no child of this process, or was waited for before.
pub(super) fn reap(pid: Pid) -> io::Result<Reaped> {
    let mut status = 0;
    // SAFETY: all zeros is a valid `rusage`.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: the kernel writes to the two places given, which live here.
        let found =
            unsafe { libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, &raw mut used) };
        if found >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let exit = match libc::WIFSIGNALED(status) {
        true => Exit::Signal(libc::WTERMSIG(status)),
        false => Exit::Code(libc::WEXITSTATUS(status)),
    };
    Ok(Reaped { exit, cpu_seconds: seconds(used.ru_utime) + seconds(used.ru_stime) })
}

fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + time.tv_usec as f64 / 1e6
}
