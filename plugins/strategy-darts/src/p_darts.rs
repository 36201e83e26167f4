//! `p-darts`: DARTS in three stages, each a new and deeper network over fewer operations.
//!
//! A stage begins with new network weights and new architecture weights; only the operations that
//! survived go on. Dropout behind skip connections, which fades within a stage, and a limit on
//! their number in the normal cell keep them from taking over.
//!
//! # Source
//! Chen, Xie, Wu, Tian. Progressive differentiable architecture search: bridging the depth gap
//! between search and evaluation. ICCV 2019; `chenxin061/pdarts@b880e87`: train_search.py,
//! model_search.py. Dropout rates are the README's (the paper: 0, 0.4, 0.7).

use nas_plugin_api::component::{ArchOrder, Edit};
use nas_plugin_api::error::PluginError;

use crate::alpha::{Alpha, AlphaSettings};
use crate::discretize::{SkipLimit, limited_skips};
use crate::method::{Method, Schedule, StepOrder};
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::stages::{drop_edits, stage_of, total, weakest};
use crate::structure::Structure;
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// Settings of P-DARTS; the defaults are the published search on CIFAR-10.
    pub struct PDartsConfig {
        /// Epochs of each stage.
        #[schemars(range(min = 1))]
        pub stage_epochs: u32 = 25_u32,
        /// Cells of the network of each stage; empty leaves the depth as it is.
        pub cells: Vec<u32> = [5_u32, 11, 17],
        /// Operations that each edge loses at the end of each stage; what the last stage leaves
        /// is reduced to one by the genotype.
        pub dropped: Vec<usize> = [3_usize, 2, 2],
        /// First rate of the dropout behind skip connections, in each stage.
        pub skip_dropout: Vec<f64> = [0.1, 0.4, 0.7],
        /// First epochs of each stage in which the architecture weights stay as they are.
        pub frozen_epochs: u32 = 10_u32,
        /// Most skip connections of the genotype in the cells that `limited_cells` names.
        pub max_skips: usize = 2_usize,
        /// Names of the operations that count as skip connections.
        pub skip_operations: Vec<String> = ["skip_connect", "identity"].map(str::to_owned),
        /// The limit holds for the choices whose ids begin with this: those of the normal cell.
        pub limited_cells: String = "normal/",
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 96_u32,
        /// The network weights' learning rate in the first epoch of a stage; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.025,
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
        /// The architecture weights' decay, added to their gradient.
        #[schemars(range(min = 0.0))]
        pub alpha_weight_decay: f64 = 1e-3,
        /// Largest norm of the architecture weights' gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub alpha_clip: f64 = 5.0,
        /// Standard deviation of the first architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 1e-3,
    }
}

/// The rate of the dropout behind skip connections, in an epoch of a stage: while the architecture
/// weights are frozen it falls in equal steps, then, from the first rate again, exponentially.
#[must_use]
pub fn skip_dropout(first: f64, epoch: u32, epochs: u32, frozen_epochs: u32) -> f64 {
    /// `scale_factor` in the released train_search.py.
    const FADING: f64 = 0.2;
    match epoch < frozen_epochs {
        true => {
            let left = epochs.saturating_sub(epoch + 1);
            first * f64::from(left) / f64::from(epochs.max(1))
        }
        false => first * (-FADING * f64::from(epoch - frozen_epochs)).exp(),
    }
}

/// P-DARTS.
pub struct PDarts {
    config: PDartsConfig,
}

impl PDarts {
    fn stage_lengths(&self) -> Vec<u32> {
        vec![self.config.stage_epochs; self.config.dropped.len()]
    }

    /// Takes out what the stage before lost, and starts its network and architecture weights.
    fn begin_stage(
        &self,
        structure: &Structure,
        search: &mut Search<()>,
        stage: usize,
    ) -> Vec<Edit> {
        let config = &self.config;
        let mut edits = Vec::new();
        if stage > 0 {
            let weights = search.strengths(structure, Relaxation::Softmax);
            let n_dropped = config.dropped[stage - 1];
            let kept = |present: usize| present.saturating_sub(n_dropped);
            let lost = weakest(structure, &search.alpha, &weights, kept);
            search.alpha.drop_paths(&lost);
            edits.extend(drop_edits(structure, &lost));
            let dropped = search.alpha.dropped().to_vec();
            let settings = self.alpha_settings();
            search.alpha = Alpha::new(structure, &settings, dropped, &mut search.rng);
        }
        match config.cells.get(stage) {
            Some(&cells) => edits.push(Edit::Rescale { cells: Some(cells), channels: None }),
            None if stage > 0 => edits.push(Edit::Reinitialize),
            None => {}
        }
        edits
    }
}

impl Method for PDarts {
    const NAME: &'static str = "p-darts";
    const SUMMARY: &'static str =
        "P-DARTS: DARTS in stages, each a new and deeper network over the surviving operations";
    type Config = PDartsConfig;
    type Progress = ();

    fn new(config: PDartsConfig, _: &Structure) -> Result<Self, PluginError> {
        let n = config.dropped.len();
        let fits = |length: usize| length == 0 || length == n;
        if n == 0 || !fits(config.cells.len()) || config.skip_dropout.len() != n {
            return Err(PluginError::configuration(format!(
                "search in {n} stages with {} numbers of cells and {} rates of dropout",
                config.cells.len(),
                config.skip_dropout.len()
            ))
            .with_help(
                "give `dropped`, `skip_dropout` and `cells` one number a stage; `cells` may be \
                 empty",
            ));
        }
        if let Some(rate) = config.skip_dropout.iter().find(|rate| !(0.0..1.0).contains(*rate)) {
            return Err(PluginError::configuration(format!(
                "drop skip connections at rate {rate}"
            ))
            .with_help("set the rates in `skip_dropout` to at least 0 and below 1"));
        }
        Ok(Self { config })
    }

    fn schedule(&self) -> Schedule {
        let config = &self.config;
        Schedule {
            epochs: total(&self.stage_lengths()),
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
            clip: config.alpha_clip,
            weights_edges: false,
        }
    }

    fn relaxation(&self, _: u32) -> Relaxation {
        Relaxation::Softmax
    }

    fn learns(&self, epoch: u32) -> bool {
        stage_of(&self.stage_lengths(), epoch).1 >= self.config.frozen_epochs
    }

    fn begin_epoch(&self, structure: &Structure, search: &mut Search<()>) -> Vec<Edit> {
        let config = &self.config;
        let (stage, epoch) = stage_of(&self.stage_lengths(), search.epoch);
        let mut edits = match epoch {
            0 => self.begin_stage(structure, search, stage),
            _ => Vec::new(),
        };
        let training = WeightTraining {
            learning_rate: config.learning_rate,
            min_learning_rate: config.min_learning_rate,
            momentum: config.momentum,
            nesterov: false,
            weight_decay: config.weight_decay,
            clip: config.gradient_clip,
        };
        edits.push(Edit::Training(training.settings(epoch, config.stage_epochs)));
        let first = config.skip_dropout[stage];
        let probability = skip_dropout(first, epoch, config.stage_epochs, config.frozen_epochs);
        edits.push(Edit::SkipDropout { probability });
        edits
    }

    fn picks(&self, structure: &Structure, search: &Search<()>) -> Vec<Vec<usize>> {
        let limit = SkipLimit {
            most: self.config.max_skips,
            operations: self.config.skip_operations.clone(),
            prefix: self.config.limited_cells.clone(),
        };
        limited_skips(structure, &search.strengths(structure, Relaxation::Softmax), &limit)
    }
}
