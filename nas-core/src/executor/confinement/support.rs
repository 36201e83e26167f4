//! What holds on this machine, found out by trying.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::Pid;

use super::{Walls, WorkerBounds};
use crate::executor::process::harden;
use crate::executor::{Exit, reap};

/// What a worker may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// To read what it was not given.
    ReadElsewhere,
    /// To write where it may not.
    WriteElsewhere,
    /// To reach the network.
    OpenSocket,
    /// To start a process.
    Fork,
    /// To leave its process group.
    LeaveGroup,
    /// To gain rights that its user lacks.
    GainPrivileges,
    /// To live on without its supervisor.
    Outlive,
    /// To raise its own limits.
    RaiseLimits,
}

/// What the kernel of this machine refuses a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Version of Landlock's interface; 0 where there is none.
    pub landlock: u32,
    /// Whether there are system call filters.
    pub seccomp: bool,
    /// What succeeded although it should not.
    pub succeeded: Vec<Attempt>,
}

impl Attempt {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ReadElsewhere,
        Self::WriteElsewhere,
        Self::OpenSocket,
        Self::Fork,
        Self::LeaveGroup,
        Self::GainPrivileges,
        Self::Outlive,
        Self::RaiseLimits,
    ];
}

impl Confinement {
    /// Has a process that is confined as workers are try everything.
    ///
    /// # Errors
    /// A process that can't be started or confined.
    pub fn try_out() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let bounds = WorkerBounds::default().with_files_of(0);
        let walls = Walls::around(&program, &bounds)?;
        let elsewhere = std::env::temp_dir().join(format!("nas-walls-{}", std::process::id()));
        let paths = (path(&program)?, path(&elsewhere)?);
        let supervisor = rustix::process::getpid();
        // SAFETY: the child makes system calls only.
        let raw = unsafe { libc::fork() };
        if raw == 0 {
            let confined = harden(supervisor).and_then(|()| walls.enter());
            // SAFETY: ends the child without running what its parent has registered.
            unsafe { libc::_exit(confined.map_or(NOT_CONFINED, |()| try_all(&paths))) };
        }
        let child = Pid::from_raw(raw).filter(|_| raw > 0).ok_or_else(io::Error::last_os_error)?;
        let ended = reap::reap(child)?;
        let _ = std::fs::remove_file(&elsewhere);
        let succeeded = match ended.exit {
            Exit::Code(code) if code != NOT_CONFINED => {
                let succeeded = |place: &usize| code & (1 << place) != 0;
                (0..Attempt::ALL.len()).filter(succeeded).map(|place| Attempt::ALL[place]).collect()
            }
            exit => return Err(io::Error::other(format!("the process in it {exit}"))),
        };
        Ok(Self { landlock: landlock_version(), seccomp: has_seccomp(), succeeded })
    }
}

/// Exit code of a process that could not be confined; all attempts never succeed together.
const NOT_CONFINED: i32 = 255;

/// One bit for each attempt that succeeded. Makes system calls only.
fn try_all((program, elsewhere): &(CString, CString)) -> i32 {
    let succeeded = |attempt: Attempt| {
        // SAFETY: plain system calls on numbers and on texts that live in the caller.
        unsafe {
            match attempt {
                // Its own program it may read; the folder around it not.
                Attempt::ReadElsewhere => {
                    libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY) >= 0
                        || libc::open(program.as_ptr(), libc::O_RDONLY) < 0
                }
                Attempt::WriteElsewhere => {
                    libc::open(elsewhere.as_ptr(), libc::O_WRONLY | libc::O_CREAT, 0o600) >= 0
                }
                Attempt::OpenSocket => libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) >= 0,
                Attempt::Fork => match libc::fork() {
                    0 => libc::_exit(0),
                    child => child > 0,
                },
                Attempt::LeaveGroup => libc::setsid() >= 0,
                Attempt::GainPrivileges => libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1,
                Attempt::Outlive => libc::prctl(libc::PR_SET_PDEATHSIG, 0) == 0,
                Attempt::RaiseLimits => {
                    let limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
                    libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) == 0
                }
            }
        }
    };
    let bits = Attempt::ALL.iter().enumerate();
    bits.fold(0, |bits, (place, attempt)| bits | (i32::from(succeeded(*attempt)) << place))
}

fn path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// Version of Landlock's interface; 0 where there is none.
fn landlock_version() -> u32 {
    let (no_rules, ask_version) = (std::ptr::null::<u8>(), 1_u32);
    // SAFETY: asks for a number; nothing is read or written.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, no_rules, 0_usize, ask_version) };
    u32::try_from(version).unwrap_or(0)
}

/// Whether the kernel has system call filters that fail a call.
pub(super) fn has_seccomp() -> bool {
    let action = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads the number, which lives here.
    let known = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    };
    known == 0
}
