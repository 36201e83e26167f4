//! How a network is trained: the `[training]` table of a configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything about training but the number of epochs, which is the trial's fidelity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Images in one batch.
    #[schemars(range(min = 1, max = 65536))]
    pub batch_size: usize,
    /// What changes the weights.
    pub optimizer: Optimizer,
    /// Learning rate at the start.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub learning_rate: f64,
    /// Learning rate at the end of the cosine.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub final_learning_rate: f64,
    /// How the learning rate falls.
    pub schedule: Schedule,
    /// Epochs until the learning rate restarts for the first time.
    #[schemars(range(min = 1, max = 100_000))]
    pub restart_epochs: u32,
    /// By how much the epochs that are over grow from one restart to the next.
    #[schemars(range(min = 2, max = 1000))]
    pub restart_factor: u32,
    /// SGD's momentum.
    #[schemars(range(min = 0.0, max = 0.9999))]
    pub momentum: f64,
    /// SGD's momentum in Nesterov's form.
    pub nesterov: bool,
    /// Weight decay on every parameter.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight_decay: f64,
    /// Largest global norm of the gradient; 0 means no limit.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub gradient_clip: f64,
    /// Share of the target that is spread over all classes.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub label_smoothing: f64,
    /// Crop at a random place after padding with this many zeros.
    #[schemars(range(min = 0, max = 64))]
    pub crop_padding: usize,
    /// Mirror half of the images.
    pub flip: bool,
    /// Side of the square that is cut out; 0 means none.
    #[schemars(range(min = 0, max = 512))]
    pub cutout: usize,
    /// Drop-path rate towards which it grows linearly: in epoch e of E it is this times e / E.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub drop_path: f64,
    /// Weight of the auxiliary heads' loss.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub auxiliary_weight: f64,
    /// Training batches from which batch-norm statistics are made anew where a training is evaluated
    /// that goes on later: those that moved along lag behind its weights. 0 takes them as they are; a
    /// supernet has no use for it.
    #[schemars(range(max = 1_000_000))]
    pub recalibration_batches: u32,
}

/// What changes the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam (betas 0.9 and 0.999), weight decay in the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    Adamw,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Half a cosine from `learning_rate` to `final_learning_rate`, set once per epoch.
    Cosine,
    /// Half a cosine again and again, set for every batch; by default it has fallen after 1, 3, 9, 27,
    /// … epochs and at the end, so that a training that is evaluated there compares with a whole one.
    Restarts,
    /// Always `learning_rate`.
    Constant,
}

/// The recipe of the weights in the DARTS search (Liu et al. 2019, appendix A.1), without
/// augmentation.
impl Default for Recipe {
    fn default() -> Self {
        Self {
            batch_size: 64,
            optimizer: Optimizer::Sgd,
            learning_rate: 0.025,
            final_learning_rate: 0.0,
            schedule: Schedule::Cosine,
            restart_epochs: 1,
            restart_factor: 3,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 3e-4,
            gradient_clip: 5.0,
            label_smoothing: 0.0,
            crop_padding: 0,
            flip: false,
            cutout: 0,
            drop_path: 0.0,
            auxiliary_weight: 0.4,
            recalibration_batches: 20,
        }
    }
}
