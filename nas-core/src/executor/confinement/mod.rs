//! What a worker can't do, whatever runs in it.
//!
//! The supervisor confines every worker between fork and exec, so that the worker's program has no
//! say in it: files (Landlock), system calls (seccomp) and resource limits, each as far as the
//! kernel has it ([`Confinement`]). There is no limit of address space, of which libtorch reserves far
//! more than it uses: the supervisor watches the resident size. There is none of the number of
//! processes either, which the kernel counts by user: a worker can't start any.

mod bounds;
mod files;
mod library_folders;
mod support;
mod system_calls;
mod walls;

pub use bounds::WorkerBounds;
pub use support::{Attempt, Confinement};
pub(super) use walls::Walls;
