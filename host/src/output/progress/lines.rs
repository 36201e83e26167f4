//! Progress without a terminal: one line for each trial that ends, and for what deserves attention.

use nas_core::journal::Event;
use nas_core::search::Observer;
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::Spending;

use super::{Standing, sentence};
use crate::output::{note, number};

/// Writes a line to stderr for each trial that ends.
pub(crate) struct Lines {
    standing: Standing,
}

impl Lines {
    /// Watches a search.
    pub(crate) fn new(standing: Standing) -> Self {
        Self { standing }
    }
}

impl Observer for Lines {
    fn event(&mut self, event: &Event, spent: &Spending) {
        self.standing.take(event);
        match event {
            Event::Ended { trial, result, .. } | Event::Settled { trial, result }
                // Hundreds in seconds, of which the report has the number.
                if result.outcome != Outcome::Untrained =>
            {
                let line = sentence::ended(&self.standing, *trial, result);
                let left = self.standing.left(spent);
                note(format!("{:>9}  {line}  [{left}]", number::seconds(spent.wall_seconds)));
            }
            event => {
                if let Some(line) = sentence::notable(event) {
                    note(format!("{:>9}  {line}", number::seconds(spent.wall_seconds)));
                }
            }
        }
    }
}
