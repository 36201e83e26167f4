//! What a process gives up before it runs code that nobody vouches for.
//!
//! A process contains itself, for good: resource limits, files (Landlock) and system calls
//! (seccomp), each as far as the kernel has it. [`Containment`] says how far that is.

mod bounds;
#[cfg(target_os = "linux")]
mod files;
mod level;
mod limits;
#[cfg(target_os = "linux")]
mod system_calls;

pub use bounds::Bounds;
pub use level::{Containment, Enforcement, close_files, contain};
