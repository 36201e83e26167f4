//! REINFORCE with a moving-average baseline.
//!
//! # Source
//! Williams. Simple statistical gradient-following algorithms. Machine Learning 8, 1992;
//! `melodyguan/enas@4bcfd73`: src/cifar10/micro_controller.py `build_trainer`.

use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::toolkit::adam::Adam;

use super::config::EnasConfig;

/// What is learned from rewards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(super) struct Reinforce {
    adam: Adam,
    /// The moving average of rewards; nothing before the first where it begins with that.
    baseline: Option<f64>,
    /// Sum of the gradients of the samples of this update.
    gradient: Vec<f64>,
    /// How many there are.
    samples: u32,
}

impl Reinforce {
    pub(super) fn new(config: &EnasConfig, n_parameters: usize) -> Self {
        let mut adam = Adam::new(config.controller_learning_rate)
            .betas(config.controller_beta1, config.controller_beta2);
        adam.epsilon = config.controller_epsilon;
        Self {
            adam,
            baseline: (!config.baseline_from_first).then_some(0.0),
            gradient: vec![0.0; n_parameters],
            samples: 0,
        }
    }

    pub(super) fn n_parameters(&self) -> usize {
        self.gradient.len()
    }

    /// The factor of the log-probability in the loss of one sample, `−(R − b)`, where the baseline
    /// `b` has already moved towards the reward `R`.
    pub(super) fn factor(&mut self, accuracy: f64, entropy: f64, config: &EnasConfig) -> f64 {
        let reward = accuracy + config.entropy_weight * entropy;
        let baseline = match self.baseline {
            Some(before) => before - (1.0 - config.baseline_decay) * (before - reward),
            None => accuracy,
        };
        self.baseline = Some(baseline);
        baseline - reward
    }

    /// Where the gradient of one sample's loss is added; then [`Reinforce::count_sample`].
    pub(super) fn gradient(&mut self) -> &mut [f64] {
        &mut self.gradient
    }

    /// Counts a sample, and takes a step of the controller with the last one of an update.
    pub(super) fn count_sample(&mut self, config: &EnasConfig, parameters: &mut [f64]) {
        self.samples += 1;
        if self.samples < config.samples_per_update {
            return;
        }
        let samples = f64::from(self.samples);
        self.gradient.iter_mut().for_each(|sum| *sum /= samples);
        clip(&mut self.gradient, config.controller_clip);
        self.adam.step(parameters, &self.gradient);
        self.gradient.fill(0.0);
        self.samples = 0;
    }
}

/// Scales a gradient down to this norm, if there is a limit; as PyTorch's `clip_grad_norm_`.
fn clip(gradient: &mut [f64], limit: f64) {
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let factor = limit / (norm + 1e-6);
    if limit > 0.0 && factor < 1.0 {
        gradient.iter_mut().for_each(|g| *g *= factor);
    }
}
