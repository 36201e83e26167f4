//! Trying a library out in a process that may be lost.
//!
//! Constructors of a library run while it is loaded, and its description is made by its own code.
//! Both happen first in `nas-plugin-host`: a small process without libtorch, contained as far as
//! the kernel allows. If it crashes, hangs or meets a limit, that is a finding about the library.

mod child;
mod message;
mod parent;

pub use child::serve;
pub use message::{Description, Phase};
pub(super) use parent::try_out;
