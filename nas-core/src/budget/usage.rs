//! Adding up what attempts used.

use crate::protocol::Usage;

impl Usage {
    /// Adds another attempt's: times add up, and the higher peak of memory stays.
    pub fn add(&mut self, other: &Self) {
        self.cpu_seconds += other.cpu_seconds;
        self.gpu_seconds += other.gpu_seconds;
        self.wall_seconds += other.wall_seconds;
        self.peak_memory_bytes = self.peak_memory_bytes.max(other.peak_memory_bytes);
    }

    /// The larger of each number.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds.max(other.cpu_seconds),
            gpu_seconds: self.gpu_seconds.max(other.gpu_seconds),
            wall_seconds: self.wall_seconds.max(other.wall_seconds),
            peak_memory_bytes: self.peak_memory_bytes.max(other.peak_memory_bytes),
        }
    }
}
