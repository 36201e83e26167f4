//! The journal: what happened in a run, durable and in order.

mod event;

pub use event::{Answer, ComponentRecord, Event, FileRecord, Start, StopReason, TrialResult};
