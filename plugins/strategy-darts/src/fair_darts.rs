//! `fair-darts`: operations that do not compete, pushed towards 0 or 1.
//!
//! Every operation is weighted by a sigmoid of its own, so that a skip connection gains nothing at
//! the others' expense; an auxiliary loss rewards weights far from one half.
//!
//! # Source
//! Chu, Zhou, Zhang, Li. Fair DARTS: eliminating unfair advantages in differentiable architecture
//! search. ECCV 2020; `xiaomi-automl/FairDARTS@270cfc9`: fairdarts/{train_search, separate_loss,
//! architect,utils}.py. It searched without the operation `none`.

use nas_plugin_api::component::{ArchOrder, Edit};
use nas_plugin_api::error::PluginError;

use crate::alpha::AlphaSettings;
use crate::discretize::{threshold_edge, threshold_sparse};
use crate::method::{Method, Schedule, StepOrder};
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::structure::{Kind, Structure};
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// The form of the loss that pushes weights towards 0 or 1.
    pub enum ZeroOneLoss {
        /// Minus the mean square of the distance from one half.
        L2,
        /// Minus the mean distance from one half.
        L1,
    }
}

nas_plugin_api::configuration! {
    /// How a genotype is read off.
    pub enum GenotypeRule {
        /// The strongest edges of a node, as far as their best operation passes the threshold.
        ThresholdSparse,
        /// Every operation that passes the threshold, as far as the space lets an edge hold them.
        ThresholdEdge,
    }
}

nas_plugin_api::configuration! {
    /// Settings of FairDARTS; the defaults are the published search on CIFAR-10.
    pub struct FairDartsConfig {
        /// Epochs.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 50_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 128_u32,
        /// Form of the loss that pushes weights towards 0 or 1.
        pub zero_one_loss: ZeroOneLoss = ZeroOneLoss::L2,
        /// Weight of that loss.
        #[schemars(range(min = 0.0))]
        pub zero_one_weight: f64 = 10.0,
        /// How a genotype is read off.
        pub genotype_rule: GenotypeRule = GenotypeRule::ThresholdSparse,
        /// Weight from which an operation is kept, where the space allows to drop it.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub threshold: f64 = 0.85,
        /// The network weights' learning rate in the first epoch; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.005,
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
        pub alpha_learning_rate: f64 = 3e-3,
        /// Adam's betas for the architecture weights.
        pub alpha_betas: [f64; 2] = [0.9, 0.999],
        /// The architecture weights' decay, added to their gradient.
        #[schemars(range(min = 0.0))]
        pub alpha_weight_decay: f64 = 1e-3,
        /// Standard deviation of the first architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 0.0,
    }
}

/// Adds the gradient, in the architecture weights, of `weight` times the loss that pushes their
/// sigmoids towards 0 or 1.
///
/// # Shapes
/// `alpha` has all architecture weights of operations, over which the mean is taken; `gradient`
/// one number for each.
/// # Panics
/// If the lengths differ.
pub fn add_zero_one_gradient(form: ZeroOneLoss, weight: f64, alpha: &[f64], gradient: &mut [f64]) {
    assert_eq!(alpha.len(), gradient.len(), "one gradient per architecture weight");
    let n = alpha.len() as f64;
    for (&alpha, gradient) in alpha.iter().zip(gradient) {
        let sigmoid = 1.0 / (1.0 + (-alpha).exp());
        let distance = sigmoid - 0.5;
        let slope = match form {
            ZeroOneLoss::L2 => 2.0 * distance,
            ZeroOneLoss::L1 if distance == 0.0 => 0.0,
            ZeroOneLoss::L1 => distance.signum(),
        };
        *gradient -= weight * slope * sigmoid * (1.0 - sigmoid) / n;
    }
}

/// FairDARTS.
pub struct FairDarts {
    config: FairDartsConfig,
}

impl Method for FairDarts {
    const NAME: &'static str = "fair-darts";
    const SUMMARY: &'static str =
        "FairDARTS: every operation weighted for itself, pushed towards 0 or 1";
    type Config = FairDartsConfig;
    type Progress = ();

    fn new(config: FairDartsConfig, _: &Structure) -> Result<Self, PluginError> {
        Ok(Self { config })
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
            weights_edges: false,
        }
    }

    fn relaxation(&self, _: u32) -> Relaxation {
        Relaxation::Sigmoid
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
        vec![Edit::Training(training.settings(search.epoch, config.epochs))]
    }

    fn add_to_alpha_gradient(
        &self,
        structure: &Structure,
        search: &Search<()>,
        gradient: &mut [f64],
    ) {
        let operations = structure.choices().filter(|&c| structure.kind(c) == Kind::Operation);
        let paths: Vec<usize> =
            operations.flat_map(|choice| search.alpha.learnt(structure, choice)).collect();
        let numbers = search.alpha.numbers();
        let alpha: Vec<f64> = paths.iter().map(|&path| numbers[path]).collect();
        let mut added = vec![0.0; alpha.len()];
        let FairDartsConfig { zero_one_loss, zero_one_weight, .. } = self.config;
        add_zero_one_gradient(zero_one_loss, zero_one_weight, &alpha, &mut added);
        paths.iter().zip(added).for_each(|(&path, added)| gradient[path] += added);
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        let weights = search.strengths(structure, Relaxation::Sigmoid);
        let rule = match self.config.genotype_rule {
            GenotypeRule::ThresholdSparse => threshold_sparse,
            GenotypeRule::ThresholdEdge => threshold_edge,
        };
        rule(structure, &weights, self.config.threshold)
    }
}
