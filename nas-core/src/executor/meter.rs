//! What one task of a worker uses, seen from outside, and when that is too much.

use std::time::Duration;

use super::TrialFailure;
use super::process::Process;
use crate::budget::clock::{Clock, RealClock};
use crate::budget::{HardLimits, KillMargin, Reservation};
use crate::protocol::{TrialJob, Usage};

/// Longest time between two looks at a worker that has something to do.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Shortest: close to a limit it is looked at as often as this.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
/// The interval for which a trial's margin ([`KillMargin::for_polling`]) is made. Close to a limit a
/// look is due every millisecond, but on a busy machine the supervisor gets its turn later.
pub const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The account of one task.
#[derive(Debug)]
pub(super) struct Meter {
    clock: RealClock,
    cpu_before: f64,
    cpu_used: f64,
    peak_memory_bytes: u64,
    limits: HardLimits,
    hardware: Hardware,
}

/// What a worker computes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hardware {
    /// Threads that may compute at once.
    pub(super) threads: usize,
    /// Whether it holds a GPU.
    pub(super) gpu: bool,
}

/// A limit that was passed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Excess {
    pub(super) failure: TrialFailure,
    pub(super) message: String,
}

/// For what is not to be limited.
pub(super) const UNLIMITED: HardLimits = HardLimits {
    wall_seconds: f64::INFINITY,
    cpu_seconds: f64::INFINITY,
    gpu_seconds: f64::INFINITY,
    memory_bytes: u64::MAX,
};

impl Meter {
    /// Starts a task; what its worker used before was charged elsewhere.
    pub(super) fn start(cpu_before: f64, limits: HardLimits, hardware: Hardware) -> Self {
        let clock = RealClock::new();
        Self { clock, cpu_before, cpu_used: 0.0, peak_memory_bytes: 0, limits, hardware }
    }

    /// Looks at the worker and kills it if it has passed a limit.
    pub(super) fn enforce(&mut self, process: &Process) -> Option<Excess> {
        self.look(process);
        let excess = self.excess()?;
        process.kill();
        Some(excess)
    }

    /// How long the worker can't pass a limit in, about: the time until it is to be looked at.
    pub(super) fn next_look(&self) -> Duration {
        let wall = self.wall_limit() - self.wall_seconds();
        let cpu = (self.limits.cpu_seconds - self.cpu_used) / self.hardware.threads.max(1) as f64;
        let left = wall.min(cpu).clamp(0.0, LOOK_INTERVAL.as_secs_f64());
        Duration::from_secs_f64(left).max(SHORTEST_LOOK)
    }

    /// The final account: of what was reported and what was measured, the larger.
    pub(super) fn settle(&mut self, process: &Process, reported: Usage) -> Usage {
        self.look(process);
        let wall_seconds = self.wall_seconds();
        let gpu_seconds = if self.hardware.gpu { wall_seconds } else { 0.0 };
        Usage {
            cpu_seconds: self.cpu_used.max(finite(reported.cpu_seconds)),
            gpu_seconds: gpu_seconds.max(finite(reported.gpu_seconds)),
            wall_seconds,
            peak_memory_bytes: self.peak_memory_bytes.max(reported.peak_memory_bytes),
        }
    }

    fn look(&mut self, process: &Process) {
        self.cpu_used = self.cpu_used.max(process.cpu_seconds() - self.cpu_before);
        self.peak_memory_bytes = self.peak_memory_bytes.max(process.resident_bytes());
    }

    fn excess(&self) -> Option<Excess> {
        let limits = &self.limits;
        let wall = self.wall_seconds();
        let (failure, message) = if self.peak_memory_bytes > limits.memory_bytes {
            let (used, limit) = (mebibytes(self.peak_memory_bytes), mebibytes(limits.memory_bytes));
            let message = format!("killed at {used:.0} MiB of memory, {limit:.0} MiB allowed");
            (TrialFailure::OutOfMemory, message)
        } else if self.cpu_used > limits.cpu_seconds {
            let (used, limit) = (self.cpu_used, limits.cpu_seconds);
            let message = format!("killed after {used:.2} processor seconds, {limit:.2} allowed");
            (TrialFailure::TimedOut, message)
        } else if wall > self.wall_limit() {
            let limit = self.wall_limit();
            let kind = if limit < limits.wall_seconds { "GPU seconds" } else { "seconds" };
            (TrialFailure::TimedOut, format!("killed after {wall:.2} {kind}, {limit:.2} allowed"))
        } else {
            return None;
        };
        Some(Excess { failure, message })
    }

    fn wall_seconds(&self) -> f64 {
        self.clock.now().as_secs_f64()
    }

    /// A worker holds its GPU all the time, so its GPU seconds are wall seconds.
    fn wall_limit(&self) -> f64 {
        match self.hardware.gpu {
            true => self.limits.wall_seconds.min(self.limits.gpu_seconds),
            false => self.limits.wall_seconds,
        }
    }
}

/// What a trial is killed at: so little below its reservation that its charge stays within.
pub(super) fn hard_limits(reservation: &Reservation, hardware: Hardware) -> HardLimits {
    HardLimits::within(reservation, &KillMargin::for_polling(POLL_INTERVAL, hardware.threads))
}

/// Lowers what the worker itself watches to a little below what it is killed at: a worker that
/// gives up by itself lives on, and says more.
pub(super) fn lower_own_limits(work: &mut TrialJob, limits: &HardLimits) {
    let cpu_margin = (limits.cpu_seconds * 0.02).clamp(0.01, 1.0);
    work.cpu_seconds = work.cpu_seconds.min((limits.cpu_seconds - cpu_margin).max(0.0));
    work.memory_bytes = work.memory_bytes.min(limits.memory_bytes - limits.memory_bytes / 16);
}

/// What a worker reports counts only if it is a number.
fn finite(reported: f64) -> f64 {
    if reported.is_finite() { reported } else { 0.0 }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
