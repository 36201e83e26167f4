//! What a search and each of its trials may spend.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[budget]` table: absent numbers have no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Wall seconds with a live supervisor, resumed parts included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e9))]
    pub wall_seconds: Option<f64>,
    /// Trials that are trained; refused ones and duplicates are free.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub trials: Option<u64>,
    /// Processor seconds of all workers, their start included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e12))]
    pub cpu_seconds: Option<f64>,
    /// Seconds of GPU of all workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e12))]
    pub gpu_seconds: Option<f64>,
    /// Longest wall time of one trial, in seconds.
    #[schemars(range(min = 0.1, max = 1e9))]
    pub trial_seconds: f64,
    /// Most resident memory of one worker, in bytes.
    #[schemars(range(min = 67108864))]
    pub trial_memory_bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            wall_seconds: None,
            trials: None,
            cpu_seconds: None,
            gpu_seconds: None,
            trial_seconds: 3600.0,
            trial_memory_bytes: 4 << 30,
        }
    }
}

/// What one attempt at a trial may use; beyond it, its worker is killed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reservation {
    /// Wall seconds.
    pub wall_seconds: f64,
    /// Processor seconds.
    pub cpu_seconds: f64,
    /// Seconds of GPU.
    pub gpu_seconds: f64,
    /// Resident bytes.
    pub memory_bytes: u64,
}
