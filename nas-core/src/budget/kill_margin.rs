//! How far below its reservation a trial is killed, and what is held back beside it.

use std::time::Duration;

use super::Reservation;

/// What a trial may use between two looks at it and until it is dead. A trial is killed this much
/// before its reservation is used up, so that its charge stays within the reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KillMargin {
    /// Wall seconds.
    pub wall_seconds: f64,
    /// Processor seconds.
    pub cpu_seconds: f64,
    /// Seconds of GPU.
    pub gpu_seconds: f64,
    /// What the start of a worker may use, in processor seconds and in seconds of GPU each. A trial
    /// may need a new worker, whose start is charged beside it, so this is held back as long as
    /// the trial runs.
    pub start_seconds: f64,
}

/// A worker on a CPU takes 0.15 s to load libtorch and a small data set (measured), and a CUDA
/// context takes longer; the rest is room.
const START_SECONDS: f64 = 1.0;

impl KillMargin {
    /// For an evaluation without workers that takes no time worth counting: a table, a fake.
    pub const NONE: Self =
        Self { wall_seconds: 0.0, cpu_seconds: 0.0, gpu_seconds: 0.0, start_seconds: 0.0 };

    /// For workers of so many threads that are looked at once in `interval`: one interval passes
    /// until the excess is seen, another until the process is gone. One thread more is allowed for
    /// than was asked for, since libtorch and the worker have some of their own.
    #[must_use]
    pub fn for_polling(interval: Duration, threads: usize) -> Self {
        let wall_seconds = 2.0 * interval.as_secs_f64();
        Self {
            wall_seconds,
            cpu_seconds: wall_seconds * (threads + 1) as f64,
            gpu_seconds: wall_seconds,
            start_seconds: START_SECONDS,
        }
    }
}

/// What a trial is killed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardLimits {
    /// Wall seconds.
    pub wall_seconds: f64,
    /// Processor seconds.
    pub cpu_seconds: f64,
    /// Seconds of GPU; infinite where no GPU is used.
    pub gpu_seconds: f64,
    /// Resident bytes.
    pub memory_bytes: u64,
}

impl HardLimits {
    /// The limits that keep a trial within its reservation.
    #[must_use]
    pub fn within(reservation: &Reservation, margin: &KillMargin) -> Self {
        let gpu_seconds = match reservation.gpu_seconds > 0.0 {
            true => (reservation.gpu_seconds - margin.gpu_seconds).max(0.0),
            false => f64::INFINITY,
        };
        Self {
            wall_seconds: (reservation.wall_seconds - margin.wall_seconds).max(0.0),
            cpu_seconds: (reservation.cpu_seconds - margin.cpu_seconds).max(0.0),
            gpu_seconds,
            memory_bytes: reservation.memory_bytes,
        }
    }
}
