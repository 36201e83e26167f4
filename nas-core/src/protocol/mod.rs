//! What supervisor and worker say to each other: one message down, events up.
//!
//! A worker that evaluates runs no foreign code: it gets layer graphs and recipes as data, and
//! answers with measurements. One that searches on a supernet ([`one_shot`]) runs the strategy beside
//! it. Messages are CBOR behind a 32-bit little-endian length, read from
//! the worker's standard input and written to its standard output ([`frame`]).

pub mod data;
pub mod frame;
pub mod one_shot;
pub mod recipe;

use std::path::PathBuf;

use nas_plugin_api::graph::Graph;
use nas_plugin_api::measurement::{EpochRecord, Measurements};
use nas_plugin_api::trial::TrialId;
use serde::{Deserialize, Serialize};

use data::{DataRequest, DataSummary};
use one_shot::{
    OneShotEpoch, OneShotJob, Order, SearchFailure, SearchFound, SearchPlan, SearchStep,
};
use recipe::Recipe;

/// Supervisor to worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// First message to a worker that prepares data: read the source, split it, write one file
    /// per split, answer with [`Event::Prepared`] or [`Event::Refused`], and end.
    Prepare(DataRequest),
    /// First message to a worker that evaluates: answer with [`Event::Ready`] or
    /// [`Event::Refused`].
    Setup(Setup),
    /// Train and measure one network; answer with [`Event::Epoch`]s and then one
    /// [`Event::Finished`] or [`Event::Failed`].
    Evaluate(Box<TrialJob>),
    /// Evaluate kept weights on the split given in [`Setup`] without any training; answer with
    /// [`Event::Finished`] or [`Event::Failed`].
    Audit(Box<AuditJob>),
    /// Train a supernet and search on it, on the splits given in [`Setup`]; the answers are listed
    /// in [`one_shot`].
    SearchOneShot(Box<OneShotJob>),
    /// What to do after [`Event::EpochEnded`].
    Proceed(Order),
}

/// What a worker needs before its first trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Prepared file with the training split; absent in an audit.
    pub train: Option<PathBuf>,
    /// Prepared file with the validation split, or, in an audit, the holdout.
    pub evaluation: PathBuf,
    /// `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// Threads within one operation, at least 1.
    pub threads: usize,
}

/// One network to train, or to give inherited weights, and to measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialJob {
    /// The trial's number.
    pub trial: TrialId,
    /// From 0; a trial whose worker died with its supervisor is tried again.
    pub attempt: u32,
    /// The network, one input.
    pub graph: Graph,
    /// How to train it.
    pub recipe: Recipe,
    /// Epochs of training, at least 1; those of the training that it goes on from included.
    pub epochs: u32,
    /// Epochs over which learning rate and drop path change: those of a whole training, of which a
    /// trial of fewer epochs is the beginning. No fewer than `epochs` count.
    #[serde(default)]
    pub schedule_epochs: u32,
    /// Share of the training split that is used, above 0 and at most 1.
    pub data_fraction: f64,
    /// Seed of everything random in this trial.
    pub seed: u64,
    /// Whether the labels of the training split are shuffled first: a control.
    #[serde(default)]
    pub shuffles_labels: bool,
    /// Extra measurements that the fitness or a policy needs, by name
    /// ([`nas_plugin_api::measurement::names`]); the curve and the accuracies are always taken.
    pub needs: Vec<String>,
    /// Processor seconds after which the worker gives up between batches.
    pub cpu_seconds: f64,
    /// Resident bytes above which the worker gives up between batches.
    pub memory_bytes: u64,
    /// Where to write the trained weights (safetensors), if they are to be kept.
    pub keep_weights: Option<PathBuf>,
    /// Where to write all that the training needs to go on, if it may.
    #[serde(default)]
    pub keep_checkpoint: Option<PathBuf>,
    /// A training of the same network to go on from.
    #[serde(default)]
    pub continue_from: Option<KeptTraining>,
    /// Weights of a supernet to evaluate instead of training; nothing is kept then.
    #[serde(default)]
    pub inherited: Option<InheritedWeights>,
    /// This trial's own log file, appended to.
    pub log: PathBuf,
}

/// A training that can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTraining {
    /// Its checkpoint (safetensors).
    pub file: PathBuf,
    /// The file's sha256 as it was journalled.
    pub sha256: String,
}

/// What a network inherits instead of being trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InheritedWeights {
    /// A checkpoint of a supernet of the same space, operations and scale.
    pub weights: PathBuf,
    /// Training batches from which batch-norm statistics are made.
    pub recalibration_batches: u32,
}

/// A trained network to evaluate on a split that the search never saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditJob {
    /// The trial whose weights these are.
    pub trial: TrialId,
    /// The network.
    pub graph: Graph,
    /// Its weights (safetensors).
    pub weights: PathBuf,
    /// Images in one batch.
    pub batch_size: usize,
}

/// Worker to supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The splits are written.
    Prepared(DataSummary),
    /// The worker is set up.
    Ready {
        /// What computes, in words.
        device: String,
        /// libtorch's version.
        libtorch: String,
        /// Processor seconds used so far, start-up included.
        cpu_seconds: f64,
    },
    /// The first message can't be obeyed: bad data, no such device, a file that can't be read.
    Refused {
        /// What is wrong and what to do.
        message: String,
    },
    /// One epoch of the running trial is over; also the sign of life of a long trial.
    Epoch {
        /// The running trial.
        trial: TrialId,
        /// What it showed.
        record: EpochRecord,
    },
    /// The trial was evaluated.
    Finished {
        /// The trial.
        trial: TrialId,
        /// What was observed.
        measurements: Measurements,
        /// What it used.
        usage: Usage,
        /// The sha256 of the checkpoint, if one was to be kept.
        #[serde(default)]
        checkpoint: Option<String>,
    },
    /// The trial could not be evaluated; the worker lives on.
    Failed {
        /// The trial.
        trial: TrialId,
        /// What kind of failure.
        failure: Failure,
        /// What happened, for a person.
        message: String,
        /// What it used.
        usage: Usage,
    },
    /// What a one-shot search is going to do.
    SearchPlanned(SearchPlan),
    /// How far an epoch of a one-shot search has come.
    SearchStep(SearchStep),
    /// An epoch of a one-shot search is over; the worker waits for [`Request::Proceed`].
    EpochEnded(Box<OneShotEpoch>),
    /// A one-shot search is over.
    SearchFinished(SearchFound),
    /// A one-shot search can't go on; the worker lives on.
    SearchFailed(SearchFailure),
}

/// Why a worker gave a trial up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// A loss that is not finite.
    Diverged,
    /// More memory than allowed, or none to be had.
    OutOfMemory,
    /// More processor time than allowed.
    OutOfTime,
    /// Anything else: libtorch refused the network, a file can't be written.
    Error,
}

/// What a trial used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor seconds of the whole worker process, all threads.
    pub cpu_seconds: f64,
    /// Seconds during which a GPU was held.
    pub gpu_seconds: f64,
    /// Wall seconds.
    pub wall_seconds: f64,
    /// Highest resident memory seen, in bytes.
    pub peak_memory_bytes: u64,
}
