//! What the probe's process gives up before it touches a library.

#[cfg(target_os = "linux")]
mod files;
mod level;
mod limits;
#[cfg(target_os = "linux")]
mod system_calls;

pub(super) use level::contain;
pub use level::{Containment, Enforcement};
