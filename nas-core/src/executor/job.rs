//! What an executor is given.

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::TrialId;

use crate::budget::Reservation;
use crate::protocol::TrialJob;

/// One attempt at one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The trial's number.
    pub trial: TrialId,
    /// From 0. Two attempts of one trial may run at once; each has its own completion.
    pub attempt: u32,
    /// What the worker is told. The executor lowers its limits below the reservation's, so that
    /// the worker can give up by itself before it is killed.
    pub work: TrialJob,
    /// What it may use; beyond it, its worker is killed.
    pub reservation: Reservation,
    /// What is evaluated, for executors that look results up instead of training.
    pub genotype: Genotype,
}

impl Job {
    /// A job for this work, which carries the trial's number and the attempt.
    #[must_use]
    pub fn new(work: TrialJob, reservation: Reservation) -> Self {
        let genotype = Genotype::default();
        Self { trial: work.trial, attempt: work.attempt, work, reservation, genotype }
    }

    /// The same job, for this genotype.
    #[must_use]
    pub fn of(mut self, genotype: Genotype) -> Self {
        self.genotype = genotype;
        self
    }
}
