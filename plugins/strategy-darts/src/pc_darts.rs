//! `pc-darts`: DARTS on a share of the channels, with weights for edges.
//!
//! Only one in `channel_fraction` channels passes through the operations of an edge; the others go
//! around them. Edges into a node have weights of their own, a softmax over the node's inputs. In
//! spaces without such nodes nothing is weighted but the operations.
//!
//! # Source
//! Xu, Xie, Zhang, Chen, Qi, Tian, Xiong. PC-DARTS: partial channel connections for
//! memory-efficient architecture search. ICLR 2020; `yuhuixu1993/PC-DARTS@b74702f`:
//! train_search.py, model_search.py.

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
    /// Settings of PC-DARTS; the defaults are the published search on CIFAR-10.
    pub struct PcDartsConfig {
        /// Epochs.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 50_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 256_u32,
        /// One in so many channels passes through an edge's operations; 1 sends all.
        #[schemars(range(min = 1))]
        pub channel_fraction: u32 = 4_u32,
        /// First epochs in which the architecture weights stay as they are.
        pub frozen_epochs: u32 = 15_u32,
        /// The network weights' learning rate in the first epoch; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.1,
        /// What that learning rate falls to.
        #[schemars(range(min = 0.0))]
        pub min_learning_rate: f64 = 0.0,
        /// The network weights' momentum.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub momentum: f64 = 0.9,
        /// The network weights' decay.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 3e-4,
        /// Largest norm of the network weights' gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub gradient_clip: f64 = 5.0,
        /// Adam's learning rate for the architecture weights, those of edges included.
        #[schemars(range(min = 0.0))]
        pub alpha_learning_rate: f64 = 6e-4,
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

/// PC-DARTS.
pub struct PcDarts {
    config: PcDartsConfig,
}

impl Method for PcDarts {
    const NAME: &'static str = "pc-darts";
    const SUMMARY: &'static str =
        "PC-DARTS: a share of the channels passes the operations; edges have weights of their own";
    type Config = PcDartsConfig;
    type Progress = ();

    fn new(config: PcDartsConfig, _: &Structure) -> Result<Self, PluginError> {
        match config.channel_fraction {
            0 => Err(PluginError::configuration("send one in 0 channels through the operations")
                .with_help("set `channel_fraction` to 1 or more")),
            _ => Ok(Self { config }),
        }
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        Schedule {
            epochs: config.epochs,
            steps_per_epoch: config.steps_per_epoch,
            batch_size: config.batch_size,
            order: StepOrder::ArchitectureFirst,
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
            weights_edges: true,
        }
    }

    fn relaxation(&self, _: u32) -> Relaxation {
        Relaxation::Softmax
    }

    fn learns(&self, epoch: u32) -> bool {
        epoch >= self.config.frozen_epochs
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
        let mut edits = Vec::new();
        if search.epoch == 0 {
            edits.push(Edit::ChannelFraction { one_in: config.channel_fraction });
        }
        edits.push(Edit::Training(training.settings(search.epoch, config.epochs)));
        edits
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        strongest_edges(structure, &search.strengths(structure, Relaxation::Softmax))
    }
}
