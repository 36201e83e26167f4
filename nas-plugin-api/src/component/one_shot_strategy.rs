//! Strategies that drive a supernet command by command.
//!
//! # Mixtures
//! A [`Mixture`] is one flat list: choice after choice in the template's order, and within a choice
//! path after path ([`crate::toolkit::mixture_layout`] counts them):
//!
//! | Options | paths | a path's weight is |
//! |---|---|---|
//! | `Operation` | one per candidate, `search_only` ones too | the factor of its output in the sum |
//! | `Inputs` | one per input | the factor of that input in the sum |
//! | `Depth` | one per number of repeats | the factor of what comes out after so many |
//! | `Width` | one per value | the factor of the mask that lets so many channels through |
//!
//! A choice that several nodes share (cells of one kind) has one set of weights, and the gradient is
//! the sum over those nodes. A strategy that does not weight inputs gives every path of an `Inputs`
//! choice the weight 1: a plain sum of its edges. The list keeps its length for the whole search:
//! paths that an edit dropped stay in it, with [`Need::Skip`], and their weight is not read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::PluginError;
use crate::genotype::Genotype;

/// Trains a supernet and its architecture weights (DARTS, GDAS, ENAS, …).
///
/// It runs in the worker beside the supernet and is called once a step, with plain numbers only:
/// softmax, Gumbel noise, gates and the architecture's own optimiser live in the strategy.
pub trait OneShotStrategy: Send {
    /// What it intends to do; checked before anything runs.   \[configured\]
    ///
    /// # Errors
    /// A space that can't be searched this way.
    fn plan(&mut self) -> Result<OneShotPlan, PluginError>;

    /// The next command, given what the last one showed.   \[planned\]
    ///
    /// The first report, and the first one after [`OneShotStrategy::restore`], belongs to no
    /// command: `losses`, `accuracies` and `gradient` are empty, everything else is filled in.
    ///
    /// # Errors
    /// Only what ends the search.
    fn next(&mut self, report: &Report) -> Result<Command, PluginError>;

    /// The whole state, for the checkpoint at the end of an epoch: a strategy restored from it
    /// gives the same commands, bit for bit, as one that went on.
    ///
    /// # Errors
    /// What prevents it.
    fn save(&self) -> Result<Vec<u8>, PluginError>;

    /// Takes a state back that `save` gave.
    ///
    /// # Errors
    /// A state that can't be read.
    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError>;

    /// The architecture weights, for the journal and for analyses: as many numbers as a mixture
    /// has weights, in the same order, NaN where a path has none (the inputs of a plain sum, a
    /// dropped path). Empty where a strategy has none at all.
    fn alpha(&self) -> Vec<f64> {
        Vec::new()
    }

    /// The mixture that belongs to these architecture weights, without any randomness: what a
    /// strategy that samples has on average. Needs are those of an architecture step.
    ///
    /// # Errors
    /// A strategy that has none.
    fn relax_at(&self, alpha: &[f64]) -> Result<Mixture, PluginError> {
        let _ = alpha;
        Err(PluginError::unsupported("relax at given architecture weights"))
    }

    /// The gradient in the architecture weights that belongs to a gradient in the mixture of
    /// [`OneShotStrategy::relax_at`]; NaN where a path has no architecture weight.
    ///
    /// # Errors
    /// A strategy that has none.
    fn pull_back_at(&self, alpha: &[f64], gradient: &[f64]) -> Result<Vec<f64>, PluginError> {
        let _ = (alpha, gradient);
        Err(PluginError::unsupported("pull back at given architecture weights"))
    }
}

/// What a strategy intends to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OneShotPlan {
    /// Epochs in all, each ended by [`Command::EndEpoch`].
    pub epochs: u32,
    /// Most steps of one epoch, if fewer than the split has batches.
    pub steps_per_epoch: Option<u32>,
    /// Examples of one step, on either split; absent means what the run's training recipe says.
    pub batch_size: Option<u32>,
    /// Whether architecture steps of second order are among the commands.
    pub second_order: bool,
    /// Whether architecture weights have gradients at all (ENAS and single-path training have
    /// none).
    pub needs_gradients: bool,
    /// Signals that the strategy wants in [`Report::signals`] at the end of an epoch.
    pub signals: Vec<String>,
}

/// A weight and a need for every path of every choice, choice after choice, path after path; the
/// module's documentation has the layout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// The weights, finite.
    pub weights: Vec<f64>,
    /// What is needed of each path.
    pub needs: Vec<Need>,
}

/// What is needed of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Need {
    /// Not computed; its gradient is absent, never zero.
    Skip = 0,
    /// Computed; no gradient in its weight.
    Forward = 1,
    /// Computed even at weight 0, with the gradient in its weight.
    ForwardGrad = 2,
}

/// Which data an evaluation reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What network weights are trained on.
    Train,
    /// The search's signal.
    Validation,
}

/// How an architecture step's gradient is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchOrder {
    /// The gradient of the validation loss.
    First,
    /// The same after one virtual step of the network weights (unrolled, by finite differences;
    /// Liu et al. 2019, section 2.3). The virtual step is taken on the training batch of the
    /// [`Command::TrainWeights`] that follows, with the learning rate, momentum and weight decay in
    /// force. The gradient reported is the whole one, all three passes combined in the mixture.
    Second,
    /// No gradient: the loss and accuracy of one validation batch.
    Reward,
}

/// What the worker shall do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Command {
    /// One step of the network weights on the next training batch.
    TrainWeights {
        /// The mixture.
        mixture: Mixture,
    },
    /// One look at the next validation batch.
    ArchStep {
        /// The mixture.
        mixture: Mixture,
        /// How the gradient is made.
        order: ArchOrder,
    },
    /// Both gradients from one training batch; the network weights take their step.
    SingleLevel {
        /// The mixture.
        mixture: Mixture,
    },
    /// Accuracy and loss of several mixtures.
    Evaluate {
        /// The mixtures.
        mixtures: Vec<Mixture>,
        /// On this data.
        split: Split,
        /// Number of batches; 0 means all.
        batches: u32,
        /// Training batches with which batch-norm statistics are made anew before; 0 means none.
        recalibrate: u32,
    },
    /// The epoch is over: checkpoint, journal, policies.
    EndEpoch {
        /// What the strategy would derive now, for the journal and for signals such as the share
        /// of skip connections; absent where it can't tell yet.
        genotype: Option<Genotype>,
    },
    /// Changes to the supernet or its training.
    Edit(Vec<Edit>),
    /// The answer: genotypes, best first.
    Derive {
        /// The genotypes.
        genotypes: Vec<Genotype>,
    },
}

/// A change to the supernet or its training, which holds until another changes it. It is part of
/// the checkpoint, like the weights: a search that goes on from one is not told again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Edit {
    /// Takes paths out of a choice for the rest of the search; positions of paths as they were at
    /// the start.
    DropPaths {
        /// The choice's position.
        choice: u32,
        /// The paths.
        paths: Vec<u32>,
    },
    /// Builds a new supernet at another scale, with new weights and a new optimiser state. Dropped
    /// paths stay dropped, and every other setting stays as it is.
    Rescale {
        /// Cells, or cells a stage; absent means as before.
        cells: Option<u32>,
        /// Channels of the first stage; absent means as before.
        channels: Option<u32>,
    },
    /// Sends only this share of an operation's channels through its mixture, the others around it
    /// (PC-DARTS: one in 4); weights are widened by copying where the share grows (DrNAS).
    ChannelFraction {
        /// One in so many channels, at least 1; 1 sends all.
        one_in: u32,
    },
    /// Ordinary dropout behind the identity paths of stride 1, in training (P-DARTS).
    SkipDropout {
        /// Probability with which an element becomes 0, in `[0, 1)`.
        probability: f64,
    },
    /// Drops whole paths in training, example by example; what is kept is divided by the
    /// probability of keeping it. Never applies to identity paths (SNAS).
    DropPath {
        /// In `[0, 1)`.
        probability: f64,
    },
    /// Changes how the network weights are trained, from the next step on.
    Training(TrainingSettings),
    /// Starts the network weights and their optimiser anew.
    Reinitialize,
}

/// How network weights are trained by stochastic gradient descent; absent means unchanged, and
/// before any change the run's training recipe holds.
///
/// A schedule is one such edit at the start of each epoch, as the released programs set theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingSettings {
    /// Step size; constant until the next change.
    pub learning_rate: Option<f64>,
    /// Share of the last step's direction that is kept, in `[0, 1)`.
    pub momentum: Option<f64>,
    /// Whether momentum is Nesterov's.
    pub nesterov: Option<bool>,
    /// Share of each weight that is added to its gradient.
    pub weight_decay: Option<f64>,
    /// Largest norm of the gradient of all network weights together; 0 means no limit.
    pub gradient_clip: Option<f64>,
    /// Share of each label that is spread over all classes, in `[0, 1)`.
    pub label_smoothing: Option<f64>,
}

/// What the last command showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Steps of this epoch so far.
    pub step: u32,
    /// Training batches of one epoch, the plan's limit applied.
    pub steps_per_epoch: u32,
    /// Mean loss, one per mixture evaluated.
    pub losses: Vec<f64>,
    /// Accuracy, one per mixture evaluated.
    pub accuracies: Vec<f64>,
    /// Gradient of the loss in the mixture's weights; NaN where the path was not `ForwardGrad`.
    pub gradient: Vec<f64>,
    /// What each path costs (multiply-adds, or milliseconds where a latency table is given).
    pub path_costs: Vec<f64>,
    /// Cost of everything that is not chosen, in the same unit.
    pub fixed_cost: f64,
    /// Signals that the plan asked for.
    pub signals: BTreeMap<String, f64>,
}
