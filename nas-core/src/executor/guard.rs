//! A tiny process that ends the workers' process groups when the supervisor is killed.
//!
//! A worker dies with the thread that started it (`PR_SET_PDEATHSIG`) and when its pipe closes, but
//! a process that *it* started does neither, and a supervisor that was killed with SIGKILL can't
//! clean up. The guard is a fork of the supervisor without any of its files but one pipe. It
//! remembers the process groups that it is told, and when the pipe closes it kills those that are
//! left. What it can't reach: a process that left its worker's group (`setsid`), and anything, if
//! the guard itself was killed first.

use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::Pid;

use super::reap;

/// Most process groups that a guard remembers; more are not guarded.
const MAX_GROUPS: usize = 4096;

/// The supervisor's end of a guard process; the guard ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    process: Arc<GuardProcess>,
}

#[derive(Debug)]
struct GuardProcess {
    pid: Pid,
    pipe: Mutex<Option<PipeWriter>>,
}

impl Guard {
    /// Starts a guard.
    ///
    /// # Errors
    /// When no pipe or no process is to be had.
    pub(super) fn start() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let pipe = reader.as_raw_fd();
        // SAFETY: the child calls nothing but `guard`, which makes system calls only: it neither
        // allocates nor takes a lock that another thread of the parent may have held.
        let raw = unsafe { libc::fork() };
        match raw {
            0 => guard(pipe),
            _ => match Pid::from_raw(raw) {
                Some(pid) if raw > 0 => {
                    let pipe = Mutex::new(Some(writer));
                    Ok(Self { process: Arc::new(GuardProcess { pid, pipe }) })
                }
                _ => Err(io::Error::last_os_error()),
            },
        }
    }

    /// From now on this process group ends with the supervisor.
    pub(super) fn watch(&self, group: Pid) {
        self.process.tell(group.as_raw_nonzero().get());
    }

    /// This process group is about to be gone; to be called while its number is still taken.
    pub(super) fn forget(&self, group: Pid) {
        self.process.tell(-group.as_raw_nonzero().get());
    }
}

impl GuardProcess {
    /// A guard that was killed can't be told; the workers' own ways to notice remain.
    fn tell(&self, number: i32) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = pipe.as_mut() {
            let _ = pipe.write_all(&number.to_ne_bytes());
        }
    }
}

impl Drop for GuardProcess {
    fn drop(&mut self) {
        self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = reap::reap(self.pid);
    }
}

/// The guard's whole life. Runs in a fork of a process with threads, so only system calls.
fn guard(pipe: RawFd) -> ! {
    let mut groups = [0_i32; MAX_GROUPS];
    // SAFETY: plain system calls on numbers and on memory of this function. All signals are
    // blocked because the handlers are those of the supervisor.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut signals);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const signals, std::ptr::null_mut());
        libc::setpgid(0, 0);
        libc::prctl(libc::PR_SET_NAME, c"nas-guard".as_ptr());
        libc::dup2(pipe, 0);
        libc::syscall(libc::SYS_close_range, 1, u32::MAX, 0);
        loop {
            let mut number = [0_u8; 4];
            match libc::read(0, number.as_mut_ptr().cast(), number.len()) {
                4 => note(&mut groups, i32::from_ne_bytes(number)),
                _ => break,
            }
        }
        for &group in groups.iter().filter(|&&group| group > 1) {
            libc::kill(-group, libc::SIGKILL);
        }
        libc::_exit(0)
    }
}

fn note(groups: &mut [i32; MAX_GROUPS], number: i32) {
    let (old, new) = if number > 0 { (0, number) } else { (-number, 0) };
    if let Some(place) = groups.iter_mut().find(|place| **place == old) {
        *place = new;
    }
}
