//! What a trial may use, and what it has used.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use nas_core::protocol::Usage;

/// Watches the processor time and the resident memory of this process during one trial.
#[derive(Debug)]
pub struct Watch {
    started: Instant,
    cpu_at_start: Duration,
    cpu_seconds: f64,
    memory_bytes: u64,
    peak_memory_bytes: u64,
    /// Kept open: one read of it costs microseconds, so it can be done for every batch.
    statm: Option<File>,
    on_gpu: bool,
}

/// A trial asked for more than it may have.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// Too much processor time.
    #[error("{used:.1} processor seconds used, {limit:.1} allowed")]
    OutOfTime {
        /// Seconds used.
        used: f64,
        /// Seconds allowed.
        limit: f64,
    },
    /// Too much memory.
    #[error("{used} bytes of memory resident, {limit} allowed")]
    OutOfMemory {
        /// Bytes resident.
        used: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

impl Watch {
    /// Starts a trial's account.
    #[must_use]
    pub fn start(cpu_seconds: f64, memory_bytes: u64, on_gpu: bool) -> Self {
        let mut watch = Self {
            started: Instant::now(),
            cpu_at_start: cpu_time(),
            cpu_seconds,
            memory_bytes,
            peak_memory_bytes: 0,
            statm: File::open("/proc/self/statm").ok(),
            on_gpu,
        };
        watch.peak_memory_bytes = watch.resident_bytes();
        watch
    }

    /// An account without limits.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::start(f64::INFINITY, u64::MAX, false)
    }

    /// To be called between batches, and wherever much memory is in use.
    ///
    /// # Errors
    /// [`LimitError`] when a limit is passed.
    pub fn check(&mut self) -> Result<(), LimitError> {
        let resident = self.resident_bytes();
        self.peak_memory_bytes = self.peak_memory_bytes.max(resident);
        if resident > self.memory_bytes {
            return Err(LimitError::OutOfMemory { used: resident, limit: self.memory_bytes });
        }
        let used = self.cpu_used();
        if used > self.cpu_seconds {
            return Err(LimitError::OutOfTime { used, limit: self.cpu_seconds });
        }
        Ok(())
    }

    /// What has been used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let wall_seconds = self.started.elapsed().as_secs_f64();
        Usage {
            cpu_seconds: self.cpu_used(),
            gpu_seconds: if self.on_gpu { wall_seconds } else { 0.0 },
            wall_seconds,
            peak_memory_bytes: self.peak_memory_bytes.max(self.resident_bytes()),
        }
    }

    fn cpu_used(&self) -> f64 {
        cpu_time().saturating_sub(self.cpu_at_start).as_secs_f64()
    }

    fn resident_bytes(&self) -> u64 {
        self.statm.as_ref().map_or(0, read_resident_bytes)
    }
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    File::open("/proc/self/statm").map_or(0, |statm| read_resident_bytes(&statm))
}

fn read_resident_bytes(statm: &File) -> u64 {
    let mut text = [0; 128];
    let length = statm.read_at(&mut text, 0).unwrap_or(0);
    let pages = std::str::from_utf8(&text[..length])
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// Processor time of this process since it started, all threads.
#[must_use]
pub fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
