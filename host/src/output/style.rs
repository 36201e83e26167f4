//! Colours, by meaning.

use anstyle::{AnsiColor, Style};

/// Something is wrong.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Something deserves attention.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Names of sections and columns.
pub(crate) const HEADING: Style = Style::new().bold();
/// What a person would type.
pub(crate) const LITERAL: Style = AnsiColor::Cyan.on_default();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A text in a style.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
