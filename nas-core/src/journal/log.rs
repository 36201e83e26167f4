//! Where events are appended.

use super::{Event, JournalError};

/// Takes events in order.
pub trait EventLog: Send {
    /// Appends a group, all or nothing. When it returns, the group is as durable as this log can
    /// make it. An error is final: nothing can be appended after it, so that there is never a gap;
    /// only [`JournalError::Busy`] may be tried again.
    ///
    /// # Errors
    /// What the storage says.
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError>;
}

/// Events in memory, for tests and for runs that need not be kept.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    events: Vec<Event>,
}

impl MemoryLog {
    /// What was appended.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}

impl EventLog for MemoryLog {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.events.extend_from_slice(events);
        Ok(())
    }
}

impl<L: EventLog + ?Sized> EventLog for Box<L> {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        (**self).append(events)
    }
}

impl<L: EventLog + ?Sized> EventLog for &mut L {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        (**self).append(events)
    }
}
