//! What is observed of a network: measurements and costs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names of the measurements that the core itself can take. Accuracies are fractions.
pub mod names {
    /// Accuracy on the validation split, 0 to 1.
    pub const VALIDATION_ACCURACY: &str = "validation_accuracy";
    /// Mean cross-entropy on the validation split, in nats.
    pub const VALIDATION_LOSS: &str = "validation_loss";
    /// Accuracy over the last epoch's training batches, 0 to 1.
    pub const TRAIN_ACCURACY: &str = "train_accuracy";
    /// Mean training loss of the last epoch, in nats.
    pub const TRAIN_LOSS: &str = "train_loss";
    /// Accuracy on the holdout split, 0 to 1; only an audit ever sees it.
    pub const HOLDOUT_ACCURACY: &str = "holdout_accuracy";
    /// Parameters of the built network.
    pub const PARAMETERS: &str = "parameters";
    /// Multiply-adds of one example through the built network.
    pub const MULTIPLY_ADDS: &str = "multiply_adds";
    /// Wall seconds spent training (timed).
    pub const TRAIN_SECONDS: &str = "train_seconds";
    /// Highest resident memory of the worker during the trial, in bytes (timed).
    pub const PEAK_MEMORY_BYTES: &str = "peak_memory_bytes";
    /// Median milliseconds of one example through the network (timed).
    pub const LATENCY_MS: &str = "latency_ms";
    /// Median milliseconds of one batch of the recipe's size through the network (timed).
    pub const BATCH_LATENCY_MS: &str = "batch_latency_ms";
    /// Seconds that training and validation took when a benchmark's table was made. No worker
    /// measures them: they come from benchmarks, and are charged instead of processor time.
    pub const SIMULATED_SECONDS: &str = "simulated_seconds";
    /// How differently the images of a batch set the network's ReLUs: the logarithm of the
    /// determinant of their agreement.
    pub const NASWOT: &str = "naswot";
    /// How little the gradients of the logits in the images agree over a batch: of their
    /// correlations, at most about minus the number of images.
    pub const JACOV: &str = "jacov";
    /// Logarithm of the synaptic flow: how strongly the output depends on all weights together.
    pub const SYNFLOW: &str = "synflow";
    /// Sum over all weights of how much the loss would change without one of them.
    pub const SNIP: &str = "snip";
    /// Sum over layers of the norm of the gradient of the loss in their weights.
    pub const GRAD_NORM: &str = "grad_norm";
    /// The zero-cost proxies: measurements of untrained networks that go with how good they become.
    /// Larger is better.
    pub const PROXIES: [&str; 5] = [NASWOT, JACOV, SYNFLOW, SNIP, GRAD_NORM];
    /// Those of some names that are zero-cost proxies.
    #[must_use]
    pub fn proxies_among(delivered: &[String]) -> Vec<String> {
        delivered.iter().filter(|name| PROXIES.contains(&name.as_str())).cloned().collect()
    }
    /// Every name above that a machine measures, and that so differs from run to run.
    pub const TIMED: [&str; 4] = [TRAIN_SECONDS, PEAK_MEMORY_BYTES, LATENCY_MS, BATCH_LATENCY_MS];
    /// Every name above that a worker can measure of a trained network.
    pub const ALL: [&str; 11] = [
        VALIDATION_ACCURACY,
        VALIDATION_LOSS,
        TRAIN_ACCURACY,
        TRAIN_LOSS,
        HOLDOUT_ACCURACY,
        PARAMETERS,
        MULTIPLY_ADDS,
        TRAIN_SECONDS,
        PEAK_MEMORY_BYTES,
        LATENCY_MS,
        BATCH_LATENCY_MS,
    ];
}

/// Observed numbers by name; [`names`] lists the core's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measurements(pub BTreeMap<String, f64>);

impl Measurements {
    /// The number of this name, if it was measured.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Sets a number, replacing an older one.
    pub fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }
}

impl<const N: usize> From<[(&str, f64); N]> for Measurements {
    fn from(pairs: [(&str, f64); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// What one epoch of training showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 0.
    pub epoch: u32,
    /// The learning rate in this epoch.
    pub learning_rate: f64,
    /// Mean loss over the epoch's batches, in nats.
    pub train_loss: f64,
    /// Accuracy over the epoch's batches, 0 to 1.
    pub train_accuracy: f64,
    /// Accuracy on the validation split, where it was evaluated in this epoch.
    #[serde(default)]
    pub validation_accuracy: Option<f64>,
}

/// What a network costs, counted from its layer graph before anything is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Learnt numbers: weights, biases, and the scale and shift of normalisations.
    pub parameters: u64,
    /// Multiply-adds of one example: convolutions, linear layers and matrix products; everything
    /// else counts zero, as in the DARTS papers.
    pub multiply_adds: u64,
    /// Bytes of all feature maps of one example in 32-bit floats; training keeps about this much
    /// for every example of a batch.
    pub activation_bytes: u64,
    /// Most layers with parameters on one path from input to output.
    pub depth: u32,
}
