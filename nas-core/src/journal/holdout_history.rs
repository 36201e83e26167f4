//! How often the holdout was read, and what is left: what the events of a run add up to.

use super::{Event, HoldoutOpened};
use crate::budget::Reservation;

/// Reads of the holdout, as a run's events tell them. Nothing but a new run sets them back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HoldoutHistory {
    /// Every read that was begun, in order.
    pub reads: Vec<HoldoutOpened>,
    /// What a read has reserved that is under way, or was cut off.
    pub open: Option<Reservation>,
    /// How many reads there were; journals of earlier versions only say how they ended.
    pub used: u32,
}

impl HoldoutHistory {
    /// The end of a read that has none: nobody knows what it used, so it is charged in full.
    #[must_use]
    pub fn cut_off(&self) -> Option<Event> {
        let (usage, last) = (self.open?.in_full(), self.reads.last()?);
        let message = "it was cut off".to_owned();
        Some(Event::HoldoutUnread { trial: last.trial, message, usage })
    }

    /// Adds one event; those of other things change nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::HoldoutOpened(opened) => {
                self.used += 1;
                self.open = Some(opened.reservation);
                self.reads.push((**opened).clone());
            }
            Event::HoldoutUnread { .. } => self.open = None,
            Event::Audited { .. } if self.open.take().is_none() => self.used += 1,
            _ => {}
        }
    }
}
