//! What can be set, with the published numbers.

use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;

configuration! {
    /// Settings of ENAS. Defaults are those of the released micro search; the help of each key names
    /// those of the macro search and of NAS-Bench-201 where they differ.
    ///
    /// # Source
    /// Pham et al. ENAS, ICML 2018; `melodyguan/enas@4bcfd73`: src/cifar10/micro_controller.py,
    /// src/cifar10/main.py, scripts/; NAS-Bench-201: `D-X-Y/AutoDL-Projects@f46486e`:
    /// exps/NAS-Bench-201-algos/ENAS.py.
    pub struct EnasConfig {
        /// Epochs, each a whole epoch of the shared weights followed by the controller's updates;
        /// macro: 310, NAS-Bench-201: 250.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 150_u32,
        /// Images a step; 0 means what the training recipe says. Macro, NAS-Bench-201: 128.
        pub batch_size: u32 = 160_u32,
        /// Highest step size of the shared weights.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.05,
        /// Lowest step size of the shared weights.
        #[schemars(range(min = 0.0))]
        pub learning_rate_min: f64 = 0.0005,
        /// Epochs until the step size starts again from its highest; 0 means never.
        pub restart_epochs: u32 = 10_u32,
        /// Each restart comes after so many times as many epochs as the one before.
        #[schemars(range(min = 1))]
        pub restart_factor: u32 = 2_u32,
        /// Momentum of the shared weights.
        #[schemars(range(min = 0.0, max = 0.999))]
        pub momentum: f64 = 0.9,
        /// Whether that momentum is Nesterov's.
        pub nesterov: bool = true,
        /// Weight decay of the shared weights: the source adds 1e-4 times the sum of squares to the
        /// loss, whose gradient is twice that. Macro: 5e-4, NAS-Bench-201: 2.5e-4.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 2e-4,
        /// Largest norm of the shared weights' gradient; 0 means no limit. The source's limit of 5
        /// has no effect. NAS-Bench-201: 5.
        #[schemars(range(min = 0.0))]
        pub gradient_clip: f64 = 0.0,
        /// Layers of the controller; NAS-Bench-201: 2.
        #[schemars(range(min = 1, max = 8))]
        pub lstm_layers: usize = 1_usize,
        /// Units of each of its layers; NAS-Bench-201: 32.
        #[schemars(range(min = 1, max = 1024))]
        pub lstm_size: usize = 64_usize,
        /// Whether its gates have bias terms; NAS-Bench-201: true.
        pub lstm_bias: bool = false,
        /// Logits are squashed to this times their hyperbolic tangent; 0 leaves them as they are.
        /// Macro: 1.5, NAS-Bench-201: 2.5.
        #[schemars(range(min = 0.0))]
        pub tanh_constant: f64 = 1.1,
        /// The constant is divided by this where operations and not inputs are chosen;
        /// NAS-Bench-201: 1.
        #[schemars(range(min = 0.001))]
        pub operation_tanh_reduce: f64 = 2.5,
        /// Logits are divided by this before they are squashed; NAS-Bench-201: 5.
        #[schemars(range(min = 0.001))]
        pub temperature: f64 = 1.0,
        /// Whether each choice has softmax biases of its own, besides those that choices among the
        /// same operations share. The published controller, which has none, tells choices apart by
        /// its state alone and hardly learns more than a few; false is that controller.
        pub choice_biases: bool = true,
        /// Operations that the controller prefers at the start.
        pub favoured_operations: Vec<String> = ["sep_conv_3x3", "sep_conv_5x5"].map(str::to_owned),
        /// First bias of the favoured operations, before logits are squashed.
        pub favoured_bias: f64 = 10.0,
        /// Added to logits of favoured operations, and taken from those of others, for good; only
        /// where favoured ones are among the candidates and the choice's id begins with
        /// `fixed_bias_prefix`.
        pub fixed_bias: f64 = 0.25,
        /// Where the fixed bias applies.
        pub fixed_bias_prefix: String = "normal/",
        /// Updates of the controller in an epoch; macro, NAS-Bench-201: 50. With 0 it stays as it
        /// begins, which is random search with shared weights.
        pub updates_per_epoch: u32 = 30_u32,
        /// Sampled networks, each rewarded on one validation batch, whose gradients are averaged in
        /// an update; macro, NAS-Bench-201: 20.
        #[schemars(range(min = 1))]
        pub samples_per_update: u32 = 10_u32,
        /// Step size of the controller's Adam; macro, NAS-Bench-201: 0.001.
        #[schemars(range(min = 0.0))]
        pub controller_learning_rate: f64 = 0.0035,
        /// Its memory of the gradient's mean.
        #[schemars(range(min = 0.0, max = 0.9999))]
        pub controller_beta1: f64 = 0.0,
        /// Its memory of the mean of the gradient's square.
        #[schemars(range(min = 0.0, max = 0.999_999))]
        pub controller_beta2: f64 = 0.999,
        /// Its epsilon. It is added behind the bias correction, as PyTorch and the NAS-Bench-201
        /// version do; TensorFlow, which the source uses, adds it before.
        #[schemars(range(min = 0.0))]
        pub controller_epsilon: f64 = 1e-3,
        /// Largest norm of the controller's gradient; 0 means no limit. NAS-Bench-201: 5.
        #[schemars(range(min = 0.0))]
        pub controller_clip: f64 = 0.0,
        /// Weight of the entropy of the controller's decisions in the reward.
        pub entropy_weight: f64 = 1e-4,
        /// Memory of the moving average that is subtracted from rewards.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub baseline_decay: f64 = 0.99,
        /// Whether that average begins with the first accuracy and not with 0; NAS-Bench-201: true.
        pub baseline_from_first: bool = false,
        /// Networks sampled in the end; the best of them is the answer. NAS-Bench-201: 100.
        #[schemars(range(min = 1))]
        pub final_samples: u32 = 10_u32,
        /// Validation batches on which each of them is evaluated; 0 means all.
        pub final_batches: u32 = 1_u32,
        /// Training batches with which batch-norm statistics are made anew before each of these
        /// evaluations; 0 means that they stay as they are.
        pub recalibration_batches: u32 = 0_u32,
    }
}

impl EnasConfig {
    /// # Errors
    /// Numbers that the controller can't work with.
    pub(super) fn check(&self) -> Result<(), PluginError> {
        let positive = [
            ("epochs", f64::from(self.epochs)),
            ("lstm_layers", self.lstm_layers as f64),
            ("lstm_size", self.lstm_size as f64),
            ("temperature", self.temperature),
            ("operation_tanh_reduce", self.operation_tanh_reduce),
            ("samples_per_update", f64::from(self.samples_per_update)),
            ("final_samples", f64::from(self.final_samples)),
        ];
        match positive.iter().find(|(_, value)| *value <= 0.0 || !value.is_finite()) {
            Some((key, value)) => Err(PluginError::configuration(format!(
                "run ENAS with `{key}` = {value}: more than 0 is needed"
            ))),
            None => Ok(()),
        }
    }
}
