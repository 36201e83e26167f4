//! A page of text: sections with aligned lines.

use std::fmt::{self, Display};

use crate::output::style::{HEADING, paint};

/// Width of the names in front of values.
const NAME_WIDTH: usize = 10;

/// A page that is being written.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// A line with a name in front.
    pub(crate) fn field(&mut self, name: &str, value: impl Display) {
        let padding = " ".repeat(NAME_WIDTH.saturating_sub(name.chars().count()));
        self.text.push_str(&format!("{}{padding}{value}\n", paint(HEADING, name)));
    }

    /// A line of a section.
    pub(crate) fn line(&mut self, text: impl Display) {
        self.text.push_str(&format!("{text}\n"));
    }

    /// An empty line, and the name of what follows.
    pub(crate) fn heading(&mut self, name: &str) {
        self.text.push_str(&format!("\n{}\n", paint(HEADING, name)));
    }
}

impl Display for Page {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text.trim_end())
    }
}
