//! The time: the only place where the system's clocks are read, so that a test can own them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Time since this clock was made; it never goes back, and stands still while the machine
    /// sleeps.
    fn now(&self) -> Duration;

    /// Milliseconds since 1970, as the system has it. It may jump: good for a person who reads
    /// a journal, not for measuring.
    fn unix_ms(&self) -> u64;
}

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn unix_ms(&self) -> u64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until it is moved. It begins at the first second of 2026.
#[derive(Debug, Default)]
pub struct FakeClock {
    micros: AtomicU64,
}

/// 2026-01-01T00:00:00Z in milliseconds since 1970.
const FAKE_START_MS: u64 = 1_767_225_600_000;

impl FakeClock {
    /// A clock at its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    fn unix_ms(&self) -> u64 {
        FAKE_START_MS + self.micros.load(Ordering::Relaxed) / 1000
    }
}
