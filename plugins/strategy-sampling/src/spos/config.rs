//! What can be set, with the published numbers.

use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;

configuration! {
    /// Settings of single-path one-shot search. Defaults are those of the released search on ImageNet.
    ///
    /// # Source
    /// Guo et al. Single path one-shot neural architecture search with uniform sampling. ECCV 2020;
    /// `megvii-model/SinglePathOneShot@36eed6c`: src/Supernet/train.py, src/Search/search.py,
    /// src/Search/tester.py.
    pub struct SposConfig {
        /// Epochs in which the supernet is trained (the source counts 150,000 steps).
        #[schemars(range(min = 1))]
        pub epochs: u32 = 120_u32,
        /// Images a step; 0 means what the training recipe says.
        pub batch_size: u32 = 1024_u32,
        /// Step size of the first epoch; it falls in a line to 0.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.5,
        /// Momentum.
        #[schemars(range(min = 0.0, max = 0.999))]
        pub momentum: f64 = 0.9,
        /// Whether that momentum is Nesterov's.
        pub nesterov: bool = false,
        /// Weight decay. The source spares biases and batch norms.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 4e-5,
        /// Largest norm of the gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub gradient_clip: f64 = 0.0,
        /// Share of each label that is spread over all classes.
        #[schemars(range(min = 0.0, max = 0.999))]
        pub label_smoothing: f64 = 0.1,
        /// Rising bounds of the costs of trained paths: equally many paths are drawn between any two
        /// neighbours (published: 290 to 360 million multiply-adds in steps of 10 million); none, as
        /// in the paper, draws every choice uniformly.
        pub training_costs: Vec<f64> = [],
        /// Networks of one generation.
        #[schemars(range(min = 1))]
        pub population: usize = 50_usize,
        /// Generations, the random first one included; 0 trains the supernet alone and gives a
        /// random answer.
        pub generations: u32 = 20_u32,
        /// Best networks of all so far, of which the next generation is bred.
        #[schemars(range(min = 1))]
        pub parents: usize = 10_usize,
        /// Mutants in a generation.
        pub mutants: usize = 25_usize,
        /// Children of two in a generation; random networks fill up what is left.
        pub crossovers: usize = 25_usize,
        /// Probability with which each choice of a mutant is changed. In the source a changed
        /// choice may fall on what it was.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub mutation_rate: f64 = 0.1,
        /// Networks that cost more (multiply-adds, or milliseconds where latencies are known) are
        /// not evaluated; published: 330 million.
        #[schemars(range(min = 0.0))]
        pub max_cost: Option<f64> = None::<f64>,
        /// Training batches with which batch-norm statistics are made anew before each network is
        /// evaluated; 0 means that they stay as they are.
        pub recalibration_batches: u32 = 200_u32,
        /// Validation batches on which it is evaluated; 0 means all.
        pub validation_batches: u32 = 40_u32,
        /// Genotypes in the answer.
        #[schemars(range(min = 1))]
        pub answers: usize = 10_usize,
    }
}

impl SposConfig {
    /// # Errors
    /// Numbers that the search can't work with.
    pub(super) fn check(&self) -> Result<(), PluginError> {
        let counts = [
            ("epochs", self.epochs as usize),
            ("population", self.population),
            ("parents", self.parents),
            ("answers", self.answers),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            let message = format!("search with `{key}` = 0: at least 1 is needed");
            return Err(PluginError::configuration(message));
        }
        let rising = self.training_costs.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || self.training_costs.len() == 1 {
            return Err(PluginError::configuration(format!(
                "train paths of `training_costs` {:?}: two or more rising bounds are needed",
                self.training_costs
            ))
            .with_help("leave `training_costs` out to draw every choice uniformly"));
        }
        Ok(())
    }
}
