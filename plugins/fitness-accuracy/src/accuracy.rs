//! `accuracy`: one measurement as it is.

use nas_plugin_api::component::{Component, Fitness};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements, names};
use nas_plugin_api::objective::Objective;

nas_plugin_api::configuration! {
    /// Settings of accuracy as fitness.
    pub struct AccuracyConfig {
        /// The measurement that is made large, a fraction.
        pub measurement: String = names::VALIDATION_ACCURACY,
    }
}

/// One measurement as it is.
pub struct Accuracy(AccuracyConfig);

impl Component for Accuracy {
    const NAME: &'static str = "accuracy";
    const SUMMARY: &'static str = "the accuracy on the validation split";
    type Config = AccuracyConfig;
    type Context = ();

    fn create(config: AccuracyConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

impl Fitness for Accuracy {
    fn needs(&self) -> Vec<String> {
        vec![self.0.measurement.clone()]
    }

    fn objectives(&self) -> Vec<Objective> {
        vec![Objective::maximize(&self.0.measurement)]
    }

    fn score(&mut self, measurements: &Measurements, _: &Cost) -> Result<Vec<f64>, PluginError> {
        Ok(vec![measured(measurements, &self.0.measurement)?])
    }
}

/// A measurement that `needs` asked for.
pub(crate) fn measured(measurements: &Measurements, name: &str) -> Result<f64, PluginError> {
    measurements
        .get(name)
        .ok_or_else(|| PluginError::internal(format!("score a trial without `{name}`")))
}
