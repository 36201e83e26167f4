//! A one-shot search: what a worker is told, and what it answers.
//!
//! ```text
//! supervisor                                     worker
//!   SearchOneShot(job) ────────────────────────►
//!                      ◄──────────────────────── SearchPlanned
//!                      ◄──────────────────────── SearchStep     (any number, for display)
//!                      ◄──────────────────────── EpochEnded     (its checkpoint is in place)
//!   journals, charges, asks the policies
//!   Proceed(order)     ────────────────────────►
//!                      ⋮
//!                      ◄──────────────────────── SearchFinished, or SearchFailed
//! ```
//!
//! The epoch is the durable unit. A worker may be killed at any moment; another one is given the
//! same job with [`OneShotJob::resume_from`] and repeats what came after, bit for bit.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nas_plugin_api::component::{ComponentKind, OneShotPlan};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::Scale;
use nas_plugin_api::trial::Fidelity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::Recipe;
use super::{Failure, Usage};
use crate::one_shot::PathCost;

/// One search with shared weights.
///
/// The worker makes the components with [`crate::one_shot::OneShotParts::load`], trains a supernet
/// as the strategy commands, and stops at the end of every epoch until it is told to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneShotJob {
    /// The operations.
    pub operations: ComponentSource,
    /// The search space.
    pub space: ComponentSource,
    /// The one-shot strategy.
    pub strategy: ComponentSource,
    /// Where private copies of libraries are kept.
    pub plugin_cache: PathBuf,
    /// How large the supernet is; its role is that of a search.
    pub scale: Scale,
    /// What the fitness function of the run computes; part of what a strategy is created with.
    pub objectives: Vec<Objective>,
    /// How derived genotypes will be trained; part of what a strategy is created with.
    pub fidelity: Fidelity,
    /// How network weights are trained before the strategy changes anything; its augmentation,
    /// batch size and label smoothing hold unless the strategy says otherwise.
    pub recipe: Recipe,
    /// Share of the training split that is used, above 0 and at most 1. The validation split is
    /// used whole.
    pub data_fraction: f64,
    /// Seed of everything random in this search.
    pub seed: u64,
    /// What paths cost.
    #[serde(default)]
    pub path_cost: PathCost,
    /// Signals that the policies need each epoch, by name ([`signals`]), besides those that the
    /// strategy's plan asks for. [`signals::CHEAP`] are always taken.
    pub signals: Vec<String>,
    /// Factor on the weight decay of the network weights, whatever recipe or strategy set it to.
    pub weight_decay_factor: f64,
    /// The folder of checkpoints; it exists. The supervisor removes old ones, the worker never.
    pub checkpoints: PathBuf,
    /// The checkpoint to go on from; absent for a search that begins.
    pub resume_from: Option<Checkpoint>,
    /// Processor seconds of this worker, from this job on, after which it gives up.
    pub cpu_seconds: f64,
    /// Resident bytes above which it gives up.
    pub memory_bytes: u64,
    /// The search's own log file, appended to.
    pub log: PathBuf,
}

/// Where a component comes from, as the run's journal has it, and how it is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentSource {
    /// Its kind.
    pub kind: ComponentKind,
    /// Its name.
    pub name: String,
    /// Its library; absent for one that is linked into the program.
    pub library: Option<LibrarySource>,
    /// Its checked configuration, with the bytes of the files that it names.
    pub config: Value,
}

/// A library that may be loaded: these very bytes and no others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibrarySource {
    /// Where it was found.
    pub path: PathBuf,
    /// Hexadecimal sha256 of its bytes.
    pub sha256: String,
}

/// A file from which a search goes on: weights, optimisers, the strategy's state, random states,
/// the place in the data, the edits in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The epoch that had ended, from 0.
    pub epoch: u32,
    /// Name of the file in the folder of checkpoints. Written under another name, flushed to disk,
    /// and renamed into place before [`super::Event::EpochEnded`] is sent.
    pub file: String,
    /// Hexadecimal sha256 of the file; a worker that finds another one fails.
    pub sha256: String,
}

/// What the supervisor decides at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Go on with the next epoch; after the last one, with what the strategy does to derive.
    Continue,
    /// The search ends here: answer with [`super::Event::SearchFinished`] and no genotypes. The
    /// supervisor derives from the journal.
    Stop,
    /// Load the checkpoint of this epoch and go on with the epoch after it.
    RollBack {
        /// The checkpoint.
        epoch: u32,
        /// From here on in place of [`OneShotJob::weight_decay_factor`]; it is no part of
        /// checkpoints.
        weight_decay_factor: f64,
    },
}

/// What the search is going to do; always the first answer, also of a search that is taken up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchPlan {
    /// The strategy's plan.
    pub plan: OneShotPlan,
    /// Training batches of one epoch, the plan's limit applied.
    pub steps_per_epoch: u32,
    /// Images of one step.
    pub batch_size: u32,
    /// Length of a mixture.
    pub n_paths: u32,
}

/// What one epoch showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneShotEpoch {
    /// The state at its end; its number is that of the epoch.
    pub checkpoint: Checkpoint,
    /// The architecture weights, as [`nas_plugin_api::component::OneShotStrategy::alpha`] gives
    /// them: NaN where a path has none; empty for a strategy without any.
    #[serde(default)]
    pub alpha: Vec<f64>,
    /// What would be derived now, as the strategy says.
    #[serde(default)]
    pub genotype: Option<Genotype>,
    /// Mean loss of the steps of the network weights; NaN where there was none.
    pub train_loss: f64,
    /// Accuracy in these steps, a fraction; NaN where there was none.
    pub train_accuracy: f64,
    /// Mean loss of the looks at validation batches, as the search took them; absent where it took
    /// none.
    #[serde(default)]
    pub validation_loss: Option<f64>,
    /// Accuracy in these looks, a fraction.
    #[serde(default)]
    pub validation_accuracy: Option<f64>,
    /// Learning rate of the network weights in the last step.
    pub learning_rate: f64,
    /// Signals by name ([`signals`]).
    #[serde(default)]
    pub signals: BTreeMap<String, f64>,
    /// Calls of the strategy in this epoch.
    #[serde(default)]
    pub plugin_calls: u64,
    /// Wall seconds in these calls, on either side of the interface.
    #[serde(default)]
    pub plugin_seconds: f64,
    /// What was used since the last epoch's end, or since the job began.
    pub usage: Usage,
}

/// What the search found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchFound {
    /// What the strategy derived, best first; empty after [`Order::Stop`].
    pub genotypes: Vec<Genotype>,
    /// What was used since the last epoch's end.
    pub usage: Usage,
}

/// Why a search could not go on; its worker lives on. Checkpoints that were told of stay good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchFailure {
    /// What kind of failure.
    pub failure: Failure,
    /// Whether the strategy or another component failed, so that trying again would not help.
    #[serde(default)]
    pub component: Option<String>,
    /// What happened, for a person.
    pub message: String,
    /// What was used since the last epoch's end, or since the job began.
    pub usage: Usage,
}

/// How far an epoch has come; only for display, at most about once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchStep {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Training steps of it that are done.
    pub step: u32,
    /// Training steps of an epoch.
    pub steps_per_epoch: u32,
    /// Mean training loss of the epoch so far.
    pub train_loss: f64,
}

/// Names of signals that are taken at the end of an epoch.
pub mod signals {
    /// Share of the operations in the current genotype that are identities, among those that are
    /// not zero; absent without a genotype.
    pub const SKIP_SHARE: &str = "skip_share";
    /// Mean over all choices of the entropy of the mixture that the architecture weights stand
    /// for, each divided by the logarithm of its number of paths: 1 is undecided, 0 decided.
    pub const ENTROPY: &str = "entropy";
    /// Validation accuracy of the mixture less that of the discretised network with the same
    /// weights, both on the same batches.
    pub const DISCRETISATION_GAP: &str = "discretisation_gap";
    /// Largest signed eigenvalue of the validation loss's Hessian in the architecture weights.
    pub const HESSIAN_EIGENVALUE: &str = "hessian_eigenvalue";

    /// What is taken each epoch, asked for or not, as far as the strategy lets it.
    pub const CHEAP: [&str; 3] = [SKIP_SHARE, ENTROPY, DISCRETISATION_GAP];
    /// Everything that can be asked for.
    pub const ALL: [&str; 4] = [SKIP_SHARE, ENTROPY, DISCRETISATION_GAP, HESSIAN_EIGENVALUE];
}
