//! `drnas`: weights drawn from a Dirichlet distribution that is learnt, in progressive stages.
//!
//! Every pass draws an edge's weights from the distribution with concentrations
//! `elu(alpha) + 1`; the gradient goes through the draw. A stage begins with a larger share of the
//! channels and with the strongest operations only; the architecture weights and the learning
//! rate's schedule go on.
//!
//! # Source
//! Chen, Wang, Cheng, Tang, Hsieh. DrNAS: Dirichlet neural architecture search. ICLR 2021;
//! `xiangning-chen/DrNAS@f2caa4d`: DARTS-space/{train_search,model_search,architect}.py. It
//! searched without the operation `none`, with 20 cells of 36 channels. On NAS-Bench-201: one stage
//! of 100 epochs, all channels, learning rate 0.025 to 0.001, `alpha_learning_rate` 3e-4, nothing
//! frozen.

use nas_plugin_api::component::{ArchOrder, Edit};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::toolkit::dirichlet;

use crate::alpha::AlphaSettings;
use crate::discretize::strongest_edges;
use crate::method::{Method, Schedule, StepOrder};
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::stages::{drop_edits, stage_of, total, weakest};
use crate::structure::Structure;
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// What keeps the distribution from growing sharp early.
    pub enum Regularizer {
        /// Decay of the architecture weights.
        L2,
        /// The divergence from the uniform distribution, in the loss.
        Kl,
    }
}

nas_plugin_api::configuration! {
    /// Settings of DrNAS; the defaults are the published progressive search on CIFAR-10.
    pub struct DrNasConfig {
        /// Epochs of each stage.
        pub stage_epochs: Vec<u32> = [25_u32, 25],
        /// In each stage one in so many channels passes through an edge's operations.
        pub channel_fractions: Vec<u32> = [6_u32, 4],
        /// Operations that each edge keeps in each stage; 0 means all there are.
        pub operations_kept: Vec<usize> = [0_usize, 4],
        /// First epochs of each stage in which the architecture weights stay as they are.
        pub frozen_epochs: u32 = 10_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 64_u32,
        /// What keeps the distribution from growing sharp early.
        pub regularizer: Regularizer = Regularizer::L2,
        /// Its scale: the decay, or the divergence's weight.
        #[schemars(range(min = 0.0))]
        pub regularizer_scale: f64 = 1e-3,
        /// The network weights' learning rate in the first epoch; it falls by a cosine over all
        /// stages.
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
        /// Adam's learning rate for the architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_learning_rate: f64 = 6e-4,
        /// Adam's betas for the architecture weights.
        pub alpha_betas: [f64; 2] = [0.5, 0.999],
        /// Standard deviation of the first architecture weights; all concentrations are about 1.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 1e-3,
    }
}

/// Adds the gradient, in one choice's architecture weights, of `scale` times the divergence of
/// their Dirichlet distribution from the uniform one.
///
/// # Panics
/// If the lengths differ.
pub fn add_regularizer_gradient(scale: f64, alpha: &[f64], gradient: &mut [f64]) {
    dirichlet::add_divergence_gradient(alpha, scale, gradient);
}

/// DrNAS.
pub struct DrNas {
    config: DrNasConfig,
}

impl Method for DrNas {
    const NAME: &'static str = "drnas";
    const SUMMARY: &'static str =
        "DrNAS: weights drawn from a learnt Dirichlet distribution, in progressive stages";
    type Config = DrNasConfig;
    type Progress = ();

    fn new(config: DrNasConfig, _: &Structure) -> Result<Self, PluginError> {
        let n = config.stage_epochs.len();
        if n == 0 || config.channel_fractions.len() != n || config.operations_kept.len() != n {
            return Err(PluginError::configuration(format!(
                "search in {n} stages with {} channel fractions and {} numbers of operations",
                config.channel_fractions.len(),
                config.operations_kept.len()
            ))
            .with_help(
                "give `stage_epochs`, `channel_fractions` and `operations_kept` one number a stage",
            ));
        }
        if config.stage_epochs.contains(&0) || config.channel_fractions.contains(&0) {
            return Err(PluginError::configuration(
                "search in a stage of no epoch, or on one in 0 channels",
            )
            .with_help("set the numbers in `stage_epochs` and `channel_fractions` to 1 or more"));
        }
        Ok(Self { config })
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        Schedule {
            epochs: total(&config.stage_epochs),
            steps_per_epoch: config.steps_per_epoch,
            batch_size: config.batch_size,
            order: StepOrder::ArchitectureFirst,
            gradient: ArchOrder::First,
        }
    }

    fn alpha_settings(&self) -> AlphaSettings {
        let config = &self.config;
        let weight_decay = match config.regularizer {
            Regularizer::L2 => config.regularizer_scale,
            Regularizer::Kl => 0.0,
        };
        AlphaSettings {
            initial_mean: 0.0,
            initial_deviation: config.alpha_deviation,
            learning_rate: config.alpha_learning_rate,
            betas: config.alpha_betas,
            weight_decay,
            clip: 0.0,
            weights_edges: false,
        }
    }

    fn relaxation(&self, _: u32) -> Relaxation {
        Relaxation::Dirichlet
    }

    fn learns(&self, epoch: u32) -> bool {
        stage_of(&self.config.stage_epochs, epoch).1 >= self.config.frozen_epochs
    }

    fn begin_epoch(&self, structure: &Structure, search: &mut Search<()>) -> Vec<Edit> {
        let config = &self.config;
        let mut edits = Vec::new();
        let (stage, epoch) = stage_of(&config.stage_epochs, search.epoch);
        if epoch == 0 {
            let n_kept = config.operations_kept[stage];
            if n_kept > 0 {
                let weights = search.strengths(structure, Relaxation::Softmax);
                let dropped = weakest(structure, &search.alpha, &weights, |_| n_kept);
                search.alpha.drop_paths(&dropped);
                edits.extend(drop_edits(structure, &dropped));
            }
            edits.push(Edit::ChannelFraction { one_in: config.channel_fractions[stage] });
        }
        let training = WeightTraining {
            learning_rate: config.learning_rate,
            min_learning_rate: config.min_learning_rate,
            momentum: config.momentum,
            nesterov: false,
            weight_decay: config.weight_decay,
            clip: config.gradient_clip,
        };
        edits.push(Edit::Training(training.settings(search.epoch, self.schedule().epochs)));
        edits
    }

    fn add_to_alpha_gradient(
        &self,
        structure: &Structure,
        search: &Search<()>,
        gradient: &mut [f64],
    ) {
        if self.config.regularizer != Regularizer::Kl {
            return;
        }
        let numbers = search.alpha.numbers();
        let drawn = structure.choices().filter(|&choice| structure.node(choice).is_none());
        for choice in drawn {
            let paths = search.alpha.learnt(structure, choice);
            let alpha: Vec<f64> = paths.iter().map(|&path| numbers[path]).collect();
            let mut added = vec![0.0; alpha.len()];
            add_regularizer_gradient(self.config.regularizer_scale, &alpha, &mut added);
            paths.iter().zip(added).for_each(|(&path, added)| gradient[path] += added);
        }
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        strongest_edges(structure, &search.strengths(structure, Relaxation::Softmax))
    }
}
