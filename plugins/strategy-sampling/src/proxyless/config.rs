//! What can be set, with the published numbers.

use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;

configuration! {
    /// Settings of ProxylessNAS. Defaults are those of the released search on ImageNet.
    ///
    /// # Source
    /// Cai, Zhu, Han. ProxylessNAS, ICLR 2019; `mit-han-lab/proxylessnas@bf58b5c`:
    /// search/imagenet_arch_search.py, search/nas_manager.py.
    pub struct ProxylessConfig {
        /// Epochs of the search, behind those of the warm-up; architecture weights rest in the first.
        #[schemars(range(min = 2))]
        pub epochs: u32 = 120_u32,
        /// Epochs before them, in which only network weights are trained.
        pub warmup_epochs: u32 = 40_u32,
        /// Images a step; 0 means what the training recipe says.
        pub batch_size: u32 = 256_u32,
        /// Highest step size of the network weights in the search; a cosine takes it to 0.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.025,
        /// The same in the warm-up.
        #[schemars(range(min = 0.0))]
        pub warmup_learning_rate: f64 = 0.05,
        /// Momentum of the network weights.
        #[schemars(range(min = 0.0, max = 0.999))]
        pub momentum: f64 = 0.9,
        /// Whether that momentum is Nesterov's.
        pub nesterov: bool = true,
        /// Weight decay of the network weights.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 4e-5,
        /// Largest norm of the network weights' gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub gradient_clip: f64 = 0.0,
        /// Share of each label that is spread over all classes when network weights are trained.
        #[schemars(range(min = 0.0, max = 0.999))]
        pub label_smoothing: f64 = 0.1,
        /// Which paths are computed in a step of the architecture weights.
        pub gates: Gates = Gates::FullV2,
        /// Steps of the network weights for each step of the architecture weights; an epoch must
        /// have as many.
        #[schemars(range(min = 1))]
        pub weight_steps_per_alpha_step: u32 = 5_u32,
        /// Standard deviation of the first architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 1e-3,
        /// Step size of the architecture weights' Adam.
        #[schemars(range(min = 0.0))]
        pub alpha_learning_rate: f64 = 1e-3,
        /// Its memory of the gradient's mean.
        #[schemars(range(min = 0.0, max = 0.9999))]
        pub alpha_beta1: f64 = 0.0,
        /// Its memory of the mean of the gradient's square.
        #[schemars(range(min = 0.0, max = 0.999_999))]
        pub alpha_beta2: f64 = 0.999,
        /// Its weight decay.
        #[schemars(range(min = 0.0))]
        pub alpha_weight_decay: f64 = 0.0,
        /// Operations whose choice keeps its architecture weights while they are the open path.
        pub frozen_operations: Vec<String> = ["skip"].map(str::to_owned),
        /// How the expected cost (latency, or multiply-adds where no latencies are known) enters
        /// the loss.
        pub cost_loss: CostLoss = CostLoss::MulLog,
        /// The cost to compare with, in the unit of the paths' costs (published: 80 ms, or 300
        /// million multiply-adds); absent, the expected cost before the first step.
        #[schemars(range(min = 0.0))]
        pub reference_cost: Option<f64> = None::<f64>,
        /// Factor of the loss with `mul-log`.
        #[schemars(range(min = 0.0))]
        pub mul_log_factor: f64 = 0.2,
        /// Exponent of the cost with `mul-log`.
        #[schemars(range(min = 0.0))]
        pub mul_log_exponent: f64 = 0.3,
        /// Factor of the cost with `add-linear`.
        #[schemars(range(min = 0.0))]
        pub add_linear_factor: f64 = 0.1,
    }
}

configuration! {
    /// Which paths are computed in a step of the architecture weights.
    pub enum Gates {
        /// All of them, as in the released program's default `full_v2`.
        FullV2,
        /// Two that are drawn, one of them open, as in the paper: takes less memory and time.
        Two,
    }
}

configuration! {
    /// How the expected cost enters the loss.
    pub enum CostLoss {
        /// `factor · loss · (ln cost / ln reference)^exponent`, the source's `mul#log`.
        MulLog,
        /// `loss + factor · (cost − reference) / reference`, the source's `add#linear`.
        AddLinear,
        /// Not at all.
        None,
    }
}

impl ProxylessConfig {
    /// # Errors
    /// Numbers that the search can't work with.
    pub(super) fn check(&self) -> Result<(), PluginError> {
        let counts = [
            ("epochs", self.epochs),
            ("weight_steps_per_alpha_step", self.weight_steps_per_alpha_step),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            let message = format!("search with `{key}` = 0: at least 1 is needed");
            return Err(PluginError::configuration(message));
        }
        match self.reference_cost {
            Some(cost) if cost.is_nan() || cost <= 0.0 => Err(PluginError::configuration(format!(
                "compare costs with `reference_cost` = {cost}: more than 0 is needed"
            ))
            .with_help("leave it out to compare with the expected cost at the start")),
            _ => Ok(()),
        }
    }
}
