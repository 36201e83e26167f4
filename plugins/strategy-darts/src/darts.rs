//! `darts`: differentiable architecture search, of first or second order.
//!
//! Every choice is relaxed to a softmax over its paths. In each step the architecture weights
//! descend the validation loss, then the network weights the training loss.
//!
//! # Source
//! Liu, Simonyan, Yang. DARTS: differentiable architecture search. ICLR 2019;
//! `quark0/darts@f276dd3`: cnn/train_search.py, cnn/architect.py. Constants are the code's. With
//! `weights_first`, `nesterov` and a `weight_decay` of 5e-4 it is the form that NAS-Bench-201 ran:
//! `D-X-Y/AutoDL-Projects@f46486e`: exps/NATS-algos/search-cell.py.

use nas_plugin_api::component::{ArchOrder, Edit};
use nas_plugin_api::error::PluginError;

use crate::alpha::AlphaSettings;
use crate::discretize::strongest_edges;
use crate::method::{Method, Schedule, StepOrder};
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::structure::Structure;
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// Settings of DARTS; the defaults are the published search on CIFAR-10.
    pub struct DartsConfig {
        /// 1: the gradient of the validation loss. 2: the same after one virtual step of the
        /// network weights (unrolled).
        #[schemars(range(min = 1, max = 2))]
        pub order: u8 = 1_u8,
        /// Epochs.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 50_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 64_u32,
        /// Whether a step trains the network weights before the architecture weights, as
        /// NAS-Bench-201's runs do.
        pub weights_first: bool = false,
        /// First epochs in which the architecture weights stay as they are.
        pub frozen_epochs: u32 = 0_u32,
        /// The network weights' learning rate in the first epoch; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.025,
        /// What that learning rate falls to (the paper: 0).
        #[schemars(range(min = 0.0))]
        pub min_learning_rate: f64 = 0.001,
        /// The network weights' momentum.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub momentum: f64 = 0.9,
        /// Whether that momentum is Nesterov's.
        pub nesterov: bool = false,
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
        /// Standard deviation of the first architecture weights (the paper: 0).
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 1e-3,
    }
}

/// DARTS.
pub struct Darts {
    config: DartsConfig,
}

impl Darts {
    pub(crate) fn training(&self) -> WeightTraining {
        let config = &self.config;
        WeightTraining {
            learning_rate: config.learning_rate,
            min_learning_rate: config.min_learning_rate,
            momentum: config.momentum,
            nesterov: config.nesterov,
            weight_decay: config.weight_decay,
            clip: config.gradient_clip,
        }
    }
}

impl Method for Darts {
    const NAME: &'static str = "darts";
    const SUMMARY: &'static str =
        "DARTS: softmax over all paths, learnt on validation data; first or second order";
    type Config = DartsConfig;
    type Progress = ();

    fn new(config: DartsConfig, _: &Structure) -> Result<Self, PluginError> {
        match config.order {
            1 | 2 => Ok(Self { config }),
            other => Err(PluginError::configuration(format!("use DARTS of order {other}"))
                .with_help("set `order` to 1 or 2")),
        }
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        Schedule {
            epochs: config.epochs,
            steps_per_epoch: config.steps_per_epoch,
            batch_size: config.batch_size,
            order: match config.weights_first {
                true => StepOrder::WeightsFirst,
                false => StepOrder::ArchitectureFirst,
            },
            gradient: if config.order == 2 { ArchOrder::Second } else { ArchOrder::First },
        }
    }

    fn alpha_settings(&self) -> AlphaSettings {
        let config = &self.config;
        AlphaSettings {
            initial_mean: 0.0,
            initial_deviation: config.alpha_deviation,
            learning_rate: config.alpha_learning_rate,
            betas: config.alpha_betas,
            weight_decay: config.alpha_weight_decay,
            clip: 0.0,
            weights_edges: false,
        }
    }

    fn relaxation(&self, _: u32) -> Relaxation {
        Relaxation::Softmax
    }

    fn learns(&self, epoch: u32) -> bool {
        epoch >= self.config.frozen_epochs
    }

    fn begin_epoch(&self, _: &Structure, search: &mut Search<()>) -> Vec<Edit> {
        vec![Edit::Training(self.training().settings(search.epoch, self.config.epochs))]
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        strongest_edges(structure, &search.strengths(structure, Relaxation::Softmax))
    }
}
