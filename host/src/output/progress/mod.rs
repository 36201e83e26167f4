//! Watching a search: a bar on a terminal, lines elsewhere, JSON for programs.

mod bar;
mod json_lines;
mod lines;
mod sentence;
mod standing;

pub(crate) use sentence::action;
pub(crate) use standing::Standing;

use bar::Bar;
use json_lines::JsonLines;
use lines::Lines;
use nas_core::search::Observer;

/// The way to watch that fits where the output goes.
pub(crate) fn observer(json: bool, standing: Standing) -> Box<dyn Observer> {
    match (json, super::stderr_is_terminal()) {
        (true, _) => Box::new(JsonLines),
        (false, true) => Box::new(Bar::new(standing)),
        (false, false) => Box::new(Lines::new(standing)),
    }
}
