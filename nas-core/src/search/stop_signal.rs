//! The wish that a search stops, and how it reaches the loop.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use crate::journal::StopReason;

/// Asks a search to stop, from a signal handler or another thread; also brings the signs of life
/// that a run with a heartbeat waits for.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    urgency: AtomicU8,
    /// Why, where it is not simply a person's wish.
    reason: OnceLock<StopReason>,
    is_alive: AtomicBool,
    has_ended: AtomicBool,
}

const GRACEFUL: u8 = 1;
const NOW: u8 = 2;

impl StopSignal {
    /// Begin nothing new; let running trials end.
    pub fn stop(&self) {
        self.0.urgency.fetch_max(GRACEFUL, Ordering::SeqCst);
    }

    /// End at once; running trials are tried again on resume.
    pub fn stop_now(&self) {
        self.0.urgency.fetch_max(NOW, Ordering::SeqCst);
    }

    /// The reason to journal; the first one given counts. To be called before the stop itself.
    pub(crate) fn give_reason(&self, reason: StopReason) {
        let _ = self.0.reason.set(reason);
    }

    /// Why the search is to stop: what was given, or that it was interrupted.
    pub(crate) fn reason(&self) -> StopReason {
        self.0.reason.get().cloned().unwrap_or(StopReason::Interrupted)
    }

    /// Someone gave a sign of life.
    pub(crate) fn sign_of_life(&self) {
        self.0.is_alive.store(true, Ordering::SeqCst);
    }

    /// Whether someone did since this was asked last; it is to be journalled.
    pub(crate) fn take_sign_of_life(&self) -> bool {
        self.0.is_alive.swap(false, Ordering::SeqCst)
    }

    /// The search has no worker any more.
    pub(crate) fn workers_ended(&self) {
        self.0.has_ended.store(true, Ordering::SeqCst);
    }

    /// Whether a stop at once was asked for and there still may be workers.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.wants_stop_now() && !self.0.has_ended.load(Ordering::SeqCst)
    }

    pub(crate) fn wants_stop(&self) -> bool {
        self.0.urgency.load(Ordering::SeqCst) >= GRACEFUL
    }

    pub(crate) fn wants_stop_now(&self) -> bool {
        self.0.urgency.load(Ordering::SeqCst) >= NOW
    }
}
