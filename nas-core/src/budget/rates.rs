//! What time costs: energy and money follow from seconds.

use nas_plugin_api::verdict::Spending;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[budget.rates]` table: what processors, GPUs and hours cost. What is left out costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Watts that a busy processor draws.
    #[serde(skip_serializing_if = "is_nothing")]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub watts_per_cpu: f64,
    /// Watts that a busy GPU draws.
    #[serde(skip_serializing_if = "is_nothing")]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub watts_per_gpu: f64,
    /// Price of an hour of a processor.
    #[serde(skip_serializing_if = "is_nothing")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub price_per_cpu_hour: f64,
    /// Price of an hour of a GPU.
    #[serde(skip_serializing_if = "is_nothing")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub price_per_gpu_hour: f64,
    /// Price of an hour of the whole search, whatever it uses: of a machine that is rented.
    #[serde(skip_serializing_if = "is_nothing")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub price_per_hour: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_nothing(rate: &f64) -> bool {
    *rate == 0.0
}

const SECONDS_PER_HOUR: f64 = 3600.0;
const WATTS_PER_KILOWATT: f64 = 1000.0;

impl Rates {
    /// Fills in the energy and the money that these times cost.
    #[must_use]
    pub fn priced(&self, spent: Spending) -> Spending {
        let hours = |seconds: f64| seconds / SECONDS_PER_HOUR;
        let (cpu, gpu) = (hours(spent.cpu_seconds), hours(spent.gpu_seconds));
        let watt_hours = cpu * self.watts_per_cpu + gpu * self.watts_per_gpu;
        let money = hours(spent.wall_seconds) * self.price_per_hour
            + cpu * self.price_per_cpu_hour
            + gpu * self.price_per_gpu_hour;
        Spending { energy_kwh: watt_hours / WATTS_PER_KILOWATT, money, ..spent }
    }

    /// Whether energy costs any, so that a limit on it means something.
    #[must_use]
    pub fn count_energy(&self) -> bool {
        self.watts_per_cpu > 0.0 || self.watts_per_gpu > 0.0
    }

    /// The same of money.
    #[must_use]
    pub fn count_money(&self) -> bool {
        self.price_per_hour > 0.0 || self.price_per_cpu_hour > 0.0 || self.price_per_gpu_hour > 0.0
    }
}
