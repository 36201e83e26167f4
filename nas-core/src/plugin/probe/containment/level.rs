//! How well the process is contained.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::limits;
#[cfg(target_os = "linux")]
use super::{files, system_calls};

/// How well a process is contained; kernels differ in what they can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// Limits of memory, processor time, file sizes and open files.
    pub limits: Enforcement,
    /// Files: nothing but the library and the system's own libraries may be read (Landlock).
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

/// Gives up every right that describing a plugin does not need, as far as this system allows.
pub(in crate::plugin::probe) fn contain(library: &Path) -> Containment {
    let limits = limits::restrict();
    #[cfg(target_os = "linux")]
    {
        // Both of the following ask for it, and it can't fail on a kernel that has them.
        let _ = rustix::thread::set_no_new_privs(true);
        let files = files::restrict(library);
        // Last, because it forbids what the others do.
        let system_calls = system_calls::restrict();
        Containment { limits, files, system_calls }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = library;
        Containment { limits, files: Enforcement::None, system_calls: Enforcement::None }
    }
}
