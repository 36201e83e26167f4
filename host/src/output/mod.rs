//! The terminal: the only place that writes to it.
//!
//! What was asked for goes to stdout; progress, notes and errors go to stderr. Colours appear on
//! terminals only, and `NO_COLOR` and `TERM=dumb` are respected (anstream decides).

pub(crate) mod fault;
pub(crate) mod number;
pub(crate) mod progress;
mod stream;
pub(crate) mod style;
pub(crate) mod table;

pub(crate) use stream::{data, error, note, stderr_is_terminal};
