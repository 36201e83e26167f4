//! `gdas`: one operation per edge and pass, drawn by Gumbel noise, with a gradient all the same.
//!
//! The strongest path under noise is computed alone, with weight 1; its gradient is pulled back as
//! if the weight were the soft one. One draw serves all cells of a kind, and each half of a step
//! draws anew. Network weights are trained first.
//!
//! # Source
//! Dong, Yang. Searching for a robust neural architecture in four GPU hours. CVPR 2019;
//! `D-X-Y/AutoDL-Projects@f46486e`: xautodl/models/cell_searchs/search_model_gdas*.py,
//! exps/NAS-Bench-201-algos/GDAS.py. Batch 64 as on NAS-Bench-201; in the space of DARTS it was 256.
//! Differs: the first release for NAS-Bench-201 also gave paths that were not drawn a gradient;
//! here, as in its `gdas_v1` and in the space of DARTS, they have none.

use nas_plugin_api::component::{ArchOrder, Edit};
use nas_plugin_api::error::PluginError;

use crate::alpha::AlphaSettings;
use crate::discretize::strongest_pairs;
use crate::method::{Method, Schedule, StepOrder};
use crate::relaxation::Relaxation;
use crate::schedule::linear;
use crate::search::Search;
use crate::structure::Structure;
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// Settings of GDAS; the defaults are the published search.
    pub struct GdasConfig {
        /// Epochs.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 250_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 64_u32,
        /// Temperature of the first epoch; it falls in equal steps.
        #[schemars(range(min = 0.001))]
        pub first_temperature: f64 = 10.0,
        /// Temperature of the last epoch.
        #[schemars(range(min = 0.001))]
        pub last_temperature: f64 = 0.1,
        /// The network weights' learning rate in the first epoch; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.025,
        /// What that learning rate falls to.
        #[schemars(range(min = 0.0))]
        pub min_learning_rate: f64 = 0.001,
        /// The network weights' momentum.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub momentum: f64 = 0.9,
        /// Whether that momentum is Nesterov's.
        pub nesterov: bool = true,
        /// The network weights' decay.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 5e-4,
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
        /// Standard deviation of the first architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 1e-3,
    }
}

/// GDAS.
pub struct Gdas {
    config: GdasConfig,
}

impl Method for Gdas {
    const NAME: &'static str = "gdas";
    const SUMMARY: &'static str =
        "GDAS: one operation per edge and pass, drawn by Gumbel noise, straight-through gradient";
    type Config = GdasConfig;
    type Progress = ();

    fn new(config: GdasConfig, _: &Structure) -> Result<Self, PluginError> {
        match config.first_temperature > 0.0 && config.last_temperature > 0.0 {
            true => Ok(Self { config }),
            false => Err(PluginError::configuration("draw paths at a temperature of 0 or less")
                .with_help("set `first_temperature` and `last_temperature` above 0")),
        }
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        Schedule {
            epochs: config.epochs,
            steps_per_epoch: config.steps_per_epoch,
            batch_size: config.batch_size,
            order: StepOrder::WeightsFirst,
            gradient: ArchOrder::First,
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

    fn relaxation(&self, epoch: u32) -> Relaxation {
        let GdasConfig { first_temperature: first, last_temperature: last, epochs, .. } =
            self.config;
        Relaxation::StraightThrough { temperature: linear(first, last, epoch, epochs) }
    }

    fn begin_epoch(&self, _: &Structure, search: &mut Search<()>) -> Vec<Edit> {
        let config = &self.config;
        let training = WeightTraining {
            learning_rate: config.learning_rate,
            min_learning_rate: config.min_learning_rate,
            momentum: config.momentum,
            nesterov: config.nesterov,
            weight_decay: config.weight_decay,
            clip: config.gradient_clip,
        };
        vec![Edit::Training(training.settings(search.epoch, config.epochs))]
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        strongest_pairs(structure, &search.strengths(structure, Relaxation::Softmax))
    }
}
