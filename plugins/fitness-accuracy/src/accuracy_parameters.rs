//! `accuracy-parameters`: accuracy less a price for parameters,
//! `accuracy − weight · parameters / limit`, and −1 for a network over the limit.

use nas_plugin_api::component::{Component, Fitness};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements, names};
use nas_plugin_api::objective::Objective;

use crate::accuracy::measured;

/// The score of a network over the limit.
const INVALID: f64 = -1.0;

nas_plugin_api::configuration! {
    /// Settings of accuracy less a price for parameters.
    pub struct AccuracyParametersConfig {
        /// The measurement that is made large, a fraction.
        pub measurement: String = names::VALIDATION_ACCURACY,
        /// What a network of exactly `limit` parameters loses.
        #[schemars(range(min = 0.0))]
        pub weight: f64 = 0.1,
        /// Most parameters of a valid network.
        #[schemars(range(min = 1))]
        pub limit: u64 = 50_000_000_u64,
    }
}

/// Accuracy less a price for parameters.
pub struct AccuracyParameters(AccuracyParametersConfig);

impl Component for AccuracyParameters {
    const NAME: &'static str = "accuracy-parameters";
    const SUMMARY: &'static str = "accuracy less a price for parameters; -1 over the limit";
    type Config = AccuracyParametersConfig;
    type Context = ();

    fn create(config: AccuracyParametersConfig, (): ()) -> Result<Self, PluginError> {
        match config.limit {
            0 => Err(PluginError::configuration("measure parameters against a limit of 0")),
            _ => Ok(Self(config)),
        }
    }
}

impl Fitness for AccuracyParameters {
    fn needs(&self) -> Vec<String> {
        vec![self.0.measurement.clone()]
    }

    fn objectives(&self) -> Vec<Objective> {
        vec![Objective::maximize("accuracy_less_parameters")]
    }

    fn score(&mut self, measurements: &Measurements, cost: &Cost) -> Result<Vec<f64>, PluginError> {
        let accuracy = measured(measurements, &self.0.measurement)?;
        let share = cost.parameters as f64 / self.0.limit as f64;
        let valid = cost.parameters <= self.0.limit;
        Ok(vec![if valid { accuracy - self.0.weight * share } else { INVALID }])
    }
}
