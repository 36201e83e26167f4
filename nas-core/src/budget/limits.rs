//! What a search and each of its trials may spend.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rates;
use crate::protocol::Usage;

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
    /// Energy in kilowatt-hours, by the watts in `rates`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-9, max = 1e12))]
    pub energy_kwh: Option<f64>,
    /// Money, by the prices in `rates` and in their currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-9, max = 1e12))]
    pub money: Option<f64>,
    /// Longest wall time of one trial, in seconds.
    #[schemars(range(min = 0.1, max = 1e9))]
    pub trial_seconds: f64,
    /// Most resident memory of one worker, in bytes.
    #[schemars(range(min = 67108864))]
    pub trial_memory_bytes: u64,
    /// What energy and money are computed by.
    pub rates: Rates,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            wall_seconds: None,
            trials: None,
            cpu_seconds: None,
            gpu_seconds: None,
            energy_kwh: None,
            money: None,
            trial_seconds: 3600.0,
            trial_memory_bytes: 4 << 30,
            rates: Rates::default(),
        }
    }
}

impl Budget {
    /// The limits of the whole search that are set, by the names of their settings.
    #[must_use]
    pub fn caps(&self) -> BTreeMap<String, f64> {
        [
            ("wall_seconds", self.wall_seconds),
            ("trials", self.trials.map(|trials| trials as f64)),
            ("cpu_seconds", self.cpu_seconds),
            ("gpu_seconds", self.gpu_seconds),
            ("energy_kwh", self.energy_kwh),
            ("money", self.money),
        ]
        .into_iter()
        .filter_map(|(name, limit)| Some((name.to_owned(), limit?)))
        .collect()
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

impl Reservation {
    /// Of what costs nothing.
    pub const NOTHING: Self =
        Self { wall_seconds: 0.0, cpu_seconds: 0.0, gpu_seconds: 0.0, memory_bytes: 0 };
    /// This share of all its times.
    pub(super) fn scaled(self, share: f64) -> Self {
        Self {
            wall_seconds: share * self.wall_seconds,
            cpu_seconds: share * self.cpu_seconds,
            gpu_seconds: share * self.gpu_seconds,
            memory_bytes: self.memory_bytes,
        }
    }

    /// What an attempt is charged of which nobody knows what it used: all of it. Its memory is
    /// gone with its process, and costs nothing.
    #[must_use]
    pub fn in_full(&self) -> Usage {
        Usage {
            cpu_seconds: self.cpu_seconds,
            gpu_seconds: self.gpu_seconds,
            wall_seconds: self.wall_seconds,
            peak_memory_bytes: 0,
        }
    }
}
