//! `snas`: soft weights drawn by Gumbel noise, everything learnt from one loss.
//!
//! All paths are computed. As released, network and architecture weights take their steps from the
//! same training batch (single level); `bilevel` splits the two, as NAS-Bench-201's form does.
//!
//! # Source
//! Xie, Zheng, Liu, Lin. SNAS: stochastic neural architecture search. ICLR 2019;
//! `SNAS-Series/SNAS-Series@9a43adb`: SNAS/train_search.py, SNAS/model_search.py; Adam's constants
//! are those of its distributed branch. Bilevel: `xiangning-chen/DrNAS@f2caa4d`: 201-space/
//! train_search.py (100 epochs, temperature 10 to 1).
//! Differs: the cost term is the logarithm of the expected cost, not the expectation of the drawn
//! paths' logarithms.

use nas_plugin_api::component::{ArchOrder, Edit, Mixture, Report};
use nas_plugin_api::error::PluginError;

use crate::alpha::AlphaSettings;
use crate::discretize::every_edge;
use crate::method::{Method, Schedule, StepOrder};
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::structure::Structure;
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// Settings of SNAS; the defaults are the released search.
    pub struct SnasConfig {
        /// Epochs.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 150_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 64_u32,
        /// Whether architecture weights are learnt on validation batches of their own, before the
        /// network weights.
        pub bilevel: bool = false,
        /// Temperature of the first epoch; it falls in equal steps.
        #[schemars(range(min = 0.001))]
        pub first_temperature: f64 = 1.0,
        /// What the temperature falls towards; the last epoch is one step above it.
        #[schemars(range(min = 0.001))]
        pub last_temperature: f64 = 0.03,
        /// Probability with which a path is dropped in training; identities never are.
        #[schemars(range(min = 0.0, max = 0.99))]
        pub drop_path: f64 = 0.3,
        /// Weight of the logarithm of the expected cost in the loss (the paper's resource term:
        /// 1.5e-3); 0 leaves it out.
        #[schemars(range(min = 0.0))]
        pub cost_weight: f64 = 0.0,
        /// The network weights' learning rate in the first epoch; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.025,
        /// What that learning rate falls to.
        #[schemars(range(min = 0.0))]
        pub min_learning_rate: f64 = 0.001,
        /// The network weights' momentum.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub momentum: f64 = 0.9,
        /// The network weights' decay.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 3e-4,
        /// Largest norm of the network weights' gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub gradient_clip: f64 = 5.0,
        /// Adam's learning rate for the architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_learning_rate: f64 = 3e-4,
        /// Adam's betas for the architecture weights.
        pub alpha_betas: [f64; 2] = [0.5, 0.999],
        /// The architecture weights' decay, added to their gradient.
        #[schemars(range(min = 0.0))]
        pub alpha_weight_decay: f64 = 1e-3,
        /// Largest norm of the architecture weights' gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub alpha_clip: f64 = 10.0,
        /// Mean of the first architecture weights.
        pub alpha_mean: f64 = 1.0,
        /// Standard deviation of the first architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 0.01,
    }
}

/// The temperature of an epoch: `(1 − e/E)(first − last) + last`.
#[must_use]
pub fn temperature(config: &SnasConfig, epoch: u32) -> f64 {
    let left = 1.0 - f64::from(epoch) / f64::from(config.epochs.max(1));
    left * (config.first_temperature - config.last_temperature) + config.last_temperature
}

/// SNAS.
pub struct Snas {
    config: SnasConfig,
}

impl Method for Snas {
    const NAME: &'static str = "snas";
    const SUMMARY: &'static str =
        "SNAS: soft weights drawn by Gumbel noise, learnt together with the network's";
    type Config = SnasConfig;
    type Progress = ();

    fn new(config: SnasConfig, _: &Structure) -> Result<Self, PluginError> {
        match config.first_temperature > 0.0 && config.last_temperature > 0.0 {
            true => Ok(Self { config }),
            false => Err(PluginError::configuration("draw weights at a temperature of 0 or less")
                .with_help("set `first_temperature` and `last_temperature` above 0")),
        }
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        Schedule {
            epochs: config.epochs,
            steps_per_epoch: config.steps_per_epoch,
            batch_size: config.batch_size,
            order: match config.bilevel {
                true => StepOrder::ArchitectureFirst,
                false => StepOrder::SingleLevel,
            },
            gradient: ArchOrder::First,
        }
    }

    fn alpha_settings(&self) -> AlphaSettings {
        let config = &self.config;
        AlphaSettings {
            initial_mean: config.alpha_mean,
            initial_deviation: config.alpha_deviation,
            learning_rate: config.alpha_learning_rate,
            betas: config.alpha_betas,
            weight_decay: config.alpha_weight_decay,
            clip: config.alpha_clip,
            weights_edges: false,
        }
    }

    fn relaxation(&self, epoch: u32) -> Relaxation {
        Relaxation::GumbelSoftmax { temperature: temperature(&self.config, epoch) }
    }

    fn begin_epoch(&self, _: &Structure, search: &mut Search<()>) -> Vec<Edit> {
        let config = &self.config;
        let training = WeightTraining {
            learning_rate: config.learning_rate,
            min_learning_rate: config.min_learning_rate,
            momentum: config.momentum,
            nesterov: false,
            weight_decay: config.weight_decay,
            clip: config.gradient_clip,
        };
        vec![
            Edit::Training(training.settings(search.epoch, config.epochs)),
            Edit::DropPath { probability: config.drop_path },
        ]
    }

    fn add_to_mixture_gradient(&self, report: &Report, mixture: &Mixture, gradient: &mut [f64]) {
        let expected: f64 = report.fixed_cost
            + report.path_costs.iter().zip(&mixture.weights).map(|(c, w)| c * w).sum::<f64>();
        if self.config.cost_weight > 0.0 && expected > 0.0 {
            // The derivative of the logarithm of the expected cost.
            for (number, cost) in gradient.iter_mut().zip(&report.path_costs) {
                *number += self.config.cost_weight * cost / expected;
            }
        }
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        every_edge(structure, &search.strengths(structure, Relaxation::Softmax))
    }
}
