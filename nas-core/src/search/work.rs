//! From an admitted trial to what a worker is told.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use nas_plugin_api::graph::Graph;
use nas_plugin_api::trial::{Fidelity, Proposal, TrialId};

use crate::budget::Reservation;
use crate::executor::trial_log;
use crate::network::{NetworkError, NetworkSpace};
use crate::protocol::recipe::Recipe;
use crate::protocol::{InheritedWeights, KeptTraining, TrialJob};

/// One attempt at an admitted trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment<'a> {
    /// The trial.
    pub trial: TrialId,
    /// From 0.
    pub attempt: u32,
    /// What was proposed.
    pub proposal: &'a Proposal,
    /// How thoroughly it is evaluated.
    pub fidelity: Fidelity,
    /// Seed of everything random in it.
    pub seed: u64,
    /// What it may use.
    pub reservation: Reservation,
    /// The training that it goes on from: the trial whose checkpoint it is, and its sha256.
    pub continues: Option<(TrialId, &'a str)>,
}

/// Writes jobs for workers.
pub trait Work {
    /// The job of an attempt.
    ///
    /// # Errors
    /// A network that can't be built; the trial is then invalid.
    fn job(&mut self, assignment: &Assignment<'_>) -> Result<TrialJob, NetworkError>;

    /// A trial's kept weights will not be asked for any more.
    fn discard(&mut self, trial: TrialId);

    /// No trial will go on from this one's checkpoint any more.
    fn discard_checkpoint(&mut self, trial: TrialId) {
        let _ = trial;
    }
}

/// Which trained weights stay in the run's folder.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum KeepWeights {
    /// Those of the best trial.
    #[default]
    Best,
    /// Those of every trial.
    All,
    /// None.
    None,
}

/// Jobs that train the proposed networks.
pub struct Training {
    space: NetworkSpace,
    recipe: Recipe,
    folder: PathBuf,
    keep: KeepWeights,
    needs: Vec<String>,
    /// Epochs of a whole training; a shorter one keeps a checkpoint, from which it may go on.
    epochs: u32,
    /// Weights that are kept, by trial.
    kept: HashMap<TrialId, PathBuf>,
}

impl Training {
    /// Trains networks of this space by this recipe; logs and weights go to the run's folder, and
    /// `needs` are measurements to take besides accuracies and losses. `epochs` is a whole training.
    #[must_use]
    pub fn new(
        space: NetworkSpace,
        (recipe, epochs): (Recipe, u32),
        folder: &Path,
        keep: KeepWeights,
        needs: Vec<String>,
    ) -> Self {
        let (folder, kept) = (folder.to_owned(), HashMap::new());
        Self { space, recipe, folder, keep, needs, epochs, kept }
    }

    /// Where a trial's weights are kept: beside its log.
    #[must_use]
    pub fn weights(folder: &Path, trial: TrialId) -> PathBuf {
        trial_log(folder, trial).with_file_name("weights.safetensors")
    }

    /// Where a trial's checkpoint is kept: beside its log.
    #[must_use]
    pub fn checkpoint(folder: &Path, trial: TrialId) -> PathBuf {
        trial_log(folder, trial).with_file_name("checkpoint.safetensors")
    }
}

impl Work for Training {
    fn job(&mut self, assignment: &Assignment<'_>) -> Result<TrialJob, NetworkError> {
        let weights = Self::weights(&self.folder, assignment.trial);
        let is_trained = !assignment.fidelity.is_untrained();
        let keep_weights = (is_trained && self.keep != KeepWeights::None).then(|| weights.clone());
        let goes_on = is_trained && assignment.fidelity.epochs < self.epochs;
        self.kept.insert(assignment.trial, weights);
        Ok(TrialJob {
            graph: self.space.network(&assignment.proposal.genotype)?,
            recipe: self.recipe.clone(),
            needs: self.needs.clone(),
            keep_weights,
            schedule_epochs: self.epochs,
            keep_checkpoint: goes_on.then(|| Self::checkpoint(&self.folder, assignment.trial)),
            continue_from: assignment.continues.map(|(trial, sha256)| KeptTraining {
                file: Self::checkpoint(&self.folder, trial),
                sha256: sha256.to_owned(),
            }),
            log: trial_log(&self.folder, assignment.trial),
            ..plain_job(assignment)
        })
    }

    fn discard(&mut self, trial: TrialId) {
        if self.keep == KeepWeights::Best
            && let Some(weights) = self.kept.remove(&trial)
        {
            // A file that stays behind costs disk and nothing else.
            let _ = std::fs::remove_file(weights);
        }
    }

    fn discard_checkpoint(&mut self, trial: TrialId) {
        let _ = std::fs::remove_file(Self::checkpoint(&self.folder, trial));
    }
}

/// Jobs that give the proposed networks the weights of a supernet.
pub struct Inheriting {
    space: NetworkSpace,
    inherited: InheritedWeights,
    recipe: Recipe,
    folder: PathBuf,
    needs: Vec<String>,
}

impl Inheriting {
    /// Evaluates networks of this space, which is at the supernet's scale and in its form for a
    /// search; of the recipe only the batch size counts. The rest is as for [`Training::new`].
    #[must_use]
    pub fn new(
        space: NetworkSpace,
        inherited: InheritedWeights,
        recipe: Recipe,
        folder: &Path,
        needs: Vec<String>,
    ) -> Self {
        Self { space, inherited, recipe, folder: folder.to_owned(), needs }
    }
}

impl Work for Inheriting {
    fn job(&mut self, assignment: &Assignment<'_>) -> Result<TrialJob, NetworkError> {
        Ok(TrialJob {
            graph: self.space.network(&assignment.proposal.genotype)?,
            recipe: self.recipe.clone(),
            needs: self.needs.clone(),
            inherited: Some(self.inherited.clone()),
            log: trial_log(&self.folder, assignment.trial),
            ..plain_job(assignment)
        })
    }

    fn discard(&mut self, _: TrialId) {}
}

/// Jobs for an executor that needs no network (a benchmark, an instant evaluator).
#[derive(Debug, Default)]
pub struct NoTraining;

impl Work for NoTraining {
    fn job(&mut self, assignment: &Assignment<'_>) -> Result<TrialJob, NetworkError> {
        Ok(plain_job(assignment))
    }

    fn discard(&mut self, _: TrialId) {}
}

fn plain_job(assignment: &Assignment<'_>) -> TrialJob {
    TrialJob {
        trial: assignment.trial,
        attempt: assignment.attempt,
        graph: Graph::default(),
        recipe: Recipe::default(),
        epochs: assignment.fidelity.epochs,
        data_fraction: assignment.fidelity.data_fraction,
        seed: assignment.seed,
        shuffles_labels: false,
        needs: Vec::new(),
        cpu_seconds: assignment.reservation.cpu_seconds,
        memory_bytes: assignment.reservation.memory_bytes,
        keep_weights: None,
        schedule_epochs: 0,
        keep_checkpoint: None,
        continue_from: None,
        inherited: None,
        log: PathBuf::new(),
    }
}
