//! Components in a process of their own.
//!
//! A library that nobody vouches for is loaded by a process of `nas-plugin-host`, one for each
//! component, and called through two pipes. That process has no files, no network, no programs and
//! no threads; it has one call at a time and a limit of time for it. Where it does not answer in
//! time, or answers nonsense, or dies, it is ended, and every further call fails.

mod child;
mod line;
mod pipe;
mod rehearsal;

pub use child::serve;
pub(super) use line::IsolatedLibrary;
pub use rehearsal::{rehearse, rehearsed};
