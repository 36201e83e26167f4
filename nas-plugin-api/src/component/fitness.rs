//! Fitness functions.

use crate::error::PluginError;
use crate::measurement::{Cost, Measurements};
use crate::objective::Objective;

/// Makes objectives out of measurements.
pub trait Fitness: Send {
    /// Names of the measurements that it reads
    /// ([`crate::measurement::names`]); a trial in which one is missing fails.
    fn needs(&self) -> Vec<String>;

    /// What it computes, in the order of the scores; the first one is the search's main objective.
    fn objectives(&self) -> Vec<Objective>;

    /// The objectives of one trial.   \[configured\]
    ///
    /// # Shapes
    /// One value per objective. A value that is not finite makes the trial `diverged`.
    /// # Errors
    /// Only what ends the search.
    fn score(&mut self, measurements: &Measurements, cost: &Cost) -> Result<Vec<f64>, PluginError>;

    /// The objectives of several trials, in their order; nothing to implement, unless all together
    /// are scored faster than each for itself.   \[configured\]
    ///
    /// # Errors
    /// Only what ends the search.
    fn score_many(
        &mut self,
        trials: &[(Measurements, Cost)],
    ) -> Result<Vec<Vec<f64>>, PluginError> {
        trials.iter().map(|(measurements, cost)| self.score(measurements, cost)).collect()
    }
}
