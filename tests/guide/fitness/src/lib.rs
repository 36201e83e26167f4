//! The fitness `accuracy-multiply-adds`: accuracy, weighed by how much is computed.
//!
//! # Source
//! Tan et al. MnasNet: platform-aware neural architecture search for mobile. CVPR 2019,
//! equation 2: accuracy · (latency / target)^w with w = −0.07.
//! Differs: multiply-adds in place of the latency, which depends on the machine.

use nas_plugin_api::component::{Component, Fitness};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements, names};
use nas_plugin_api::objective::Objective;

nas_plugin_api::export_plugin! { fitness: [AccuracyMultiplyAdds] }

nas_plugin_api::configuration! {
    /// Settings of accuracy, weighed by multiply-adds.
    pub struct AccuracyMultiplyAddsConfig {
        /// Multiply-adds of one example at which the fitness is the accuracy itself.
        #[schemars(range(min = 1))]
        pub target: u64 = 1_000_000_u64,
        /// What more of them cost: twice as many multiply the fitness by 2 to this power.
        #[schemars(range(min = -10.0, max = 0.0))]
        pub exponent: f64 = -0.07,
    }
}

/// Accuracy, weighed by multiply-adds.
pub struct AccuracyMultiplyAdds(AccuracyMultiplyAddsConfig);

impl Component for AccuracyMultiplyAdds {
    const NAME: &'static str = "accuracy-multiply-adds";
    const SUMMARY: &'static str = "accuracy, weighed by how much is computed";
    type Config = AccuracyMultiplyAddsConfig;
    type Context = ();

    fn create(config: AccuracyMultiplyAddsConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

impl Fitness for AccuracyMultiplyAdds {
    fn needs(&self) -> Vec<String> {
        vec![names::VALIDATION_ACCURACY.to_owned()]
    }

    fn objectives(&self) -> Vec<Objective> {
        vec![Objective::maximize("weighed_accuracy")]
    }

    fn score(&mut self, measurements: &Measurements, cost: &Cost) -> Result<Vec<f64>, PluginError> {
        // The core has seen to it that what `needs` names is there.
        let accuracy = measurements.get(names::VALIDATION_ACCURACY).unwrap_or(f64::NAN);
        let share = cost.multiply_adds.max(1) as f64 / self.0.target as f64;
        Ok(vec![accuracy * share.powf(self.0.exponent)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(multiply_adds: u64, expected: f64) {
        let config = AccuracyMultiplyAddsConfig::default();
        let mut fitness = AccuracyMultiplyAdds::create(config, ()).unwrap();
        let measurements = Measurements::from([(names::VALIDATION_ACCURACY, 0.9)]);
        let cost = Cost { multiply_adds, ..Cost::default() };
        let score = fitness.score(&measurements, &cost).unwrap();
        assert!((score[0] - expected).abs() < 1e-9, "{score:?}");
    }

    #[test]
    fn more_multiply_adds_cost_fitness() {
        check(1_000_000, 0.9);
        check(2_000_000, 0.9 * 2_f64.powf(-0.07));
        check(500_000, 0.9 * 2_f64.powf(0.07));
    }
}
