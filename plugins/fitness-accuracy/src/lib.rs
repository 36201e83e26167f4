//! Accuracy as fitness: `accuracy` alone, and `accuracy-parameters` less a price for parameters.

mod accuracy;
mod accuracy_parameters;

pub use accuracy::{Accuracy, AccuracyConfig};
pub use accuracy_parameters::{AccuracyParameters, AccuracyParametersConfig};

nas_plugin_api::export_plugin! { fitness: [Accuracy, AccuracyParameters] }
