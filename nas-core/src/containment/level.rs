//! How well the process is contained.

use serde::{Deserialize, Serialize};

use super::{Bounds, limits};
#[cfg(target_os = "linux")]
use super::{files, system_calls};

/// How well a process is contained; kernels differ in what they can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// Limits of memory, processor time, file sizes and open files.
    pub limits: Enforcement,
    /// Files: nothing but what it may read and the system's own libraries can be opened (Landlock).
    pub files: Enforcement,
    /// System calls: no network, no programs, no further processes (seccomp).
    pub system_calls: Enforcement,
}

/// How much of a protection is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// All of it.
    Full,
    /// What this kernel knows.
    Partial,
    /// Nothing.
    None,
}

/// Gives up everything beyond these bounds, as far as this system allows, for this process and for
/// good. To be called before there is a second thread: some of it holds for the calling thread and
/// those that it starts.
pub fn contain(bounds: &Bounds) -> Containment {
    let limits = limits::restrict(bounds);
    #[cfg(target_os = "linux")]
    {
        // Both of the following ask for it, and it can't fail on a kernel that has them.
        let _ = rustix::thread::set_no_new_privs(true);
        let files = files::restrict(&bounds.readable);
        // Last, because it forbids what the others do.
        let system_calls = system_calls::restrict(bounds);
        Containment { limits, files, system_calls }
    }
    #[cfg(not(target_os = "linux"))]
    {
        Containment { limits, files: Enforcement::None, system_calls: Enforcement::None }
    }
}

/// Forbids opening any file from now on, even those that the bounds allow, and where the kernel has
/// no Landlock.
pub fn close_files() -> Enforcement {
    #[cfg(target_os = "linux")]
    {
        system_calls::forbid_opening()
    }
    #[cfg(not(target_os = "linux"))]
    {
        Enforcement::None
    }
}
