//! The walls around one worker: made before the fork, entered after it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use seccompiler::BpfProgram;

use super::WorkerBounds;
use super::{files, system_calls};

/// Most files that a worker may have open at once; CUDA has some hundreds.
const OPEN_FILES: u64 = 4096;

/// Everything that has to be allocated to confine a worker; a process that was just forked from one
/// with threads must not.
pub(in crate::executor) struct Walls {
    file_bytes: Option<u64>,
    files: Option<OwnedFd>,
    system_calls: Vec<BpfProgram>,
}

impl Walls {
    /// The walls around this program within these bounds. What the kernel does not have is left
    /// out.
    ///
    /// # Errors
    /// What the kernel says to what it should know.
    pub(in crate::executor) fn around(program: &Path, bounds: &WorkerBounds) -> io::Result<Self> {
        Ok(Self {
            file_bytes: bounds.file_bytes,
            files: files::rules(program, bounds).map_err(io::Error::other)?,
            system_calls: match super::support::has_seccomp() {
                true => system_calls::filters(bounds.gpu).map_err(io::Error::other)?.into(),
                false => Vec::new(),
            },
        })
    }

    /// Gives up everything beyond the walls, for good. Makes system calls only.
    ///
    /// # Errors
    /// What the kernel says; the process must not go on then.
    pub(in crate::executor) fn enter(&self) -> io::Result<()> {
        limit(libc::RLIMIT_NOFILE, OPEN_FILES)?;
        if let Some(bytes) = self.file_bytes {
            limit(libc::RLIMIT_FSIZE, bytes)?;
        }
        if let Some(rules) = &self.files {
            // SAFETY: a plain system call on numbers.
            let entered =
                unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) };
            if entered != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // Last, because the filters forbid what comes before them.
        self.system_calls.iter().try_for_each(system_calls::enter)
    }
}

/// Lowers a limit, never raises it.
fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes to and reads from `limits`, which lives here.
    unsafe {
        if libc::getrlimit(resource, &raw mut limits) != 0 {
            return Err(io::Error::last_os_error());
        }
        limits.rlim_max = limits.rlim_max.min(most);
        limits.rlim_cur = limits.rlim_cur.min(limits.rlim_max);
        match libc::setrlimit(resource, &raw const limits) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
