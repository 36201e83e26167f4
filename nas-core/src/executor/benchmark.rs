//! An executor that looks trials up in a benchmark.

use std::sync::Arc;
use std::time::Duration;

use nas_plugin_api::component::Benchmark;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::trial::{Fidelity, TrialId};

use super::{Completion, Ended, Executor, ExecutorError, Job, TrialFailure, Update};
use crate::plugin::{CallError, Timed};
use crate::protocol::Usage;

/// Completes jobs with what a benchmark says, all that wait with one call a fidelity.
///
/// A trial is charged the benchmark's `simulated_seconds` as processor seconds; no limit is
/// enforced, so the last trial may pass the budget, as in the published runs. `holdout_accuracy` is
/// left out of what it delivers: only [`holdout_of`] sees it.
pub struct BenchmarkExecutor {
    benchmark: Arc<Timed<Box<dyn Benchmark>>>,
    capacity: usize,
    waiting: Vec<Job>,
    updates: Vec<Update>,
}

impl BenchmarkExecutor {
    /// An executor for a benchmark that was begun.
    #[must_use]
    pub fn new(benchmark: Arc<Timed<Box<dyn Benchmark>>>, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { benchmark, capacity, waiting: Vec::new(), updates: Vec::new() }
    }

    /// Looks up the jobs that wait; those of another fidelity than the first keep waiting.
    fn look_up(&mut self) -> Result<(), ExecutorError> {
        let Some(fidelity) = self.waiting.first().map(fidelity_of) else { return Ok(()) };
        let (jobs, others): (Vec<Job>, Vec<Job>) =
            self.waiting.drain(..).partition(|job| fidelity_of(job) == fidelity);
        self.waiting = others;
        let genotypes: Vec<Genotype> = jobs.iter().map(|job| job.genotype.clone()).collect();
        let seeds: Vec<u64> = jobs.iter().map(|job| job.work.seed).collect();
        let failed = |source: CallError| ExecutorError::Benchmark { message: with_help(&source) };
        let found = self
            .benchmark
            .call("look up", move |benchmark| benchmark.evaluate(&genotypes, &fidelity, &seeds))
            .map_err(failed)?;
        if found.len() != jobs.len() {
            let message = "look up: one answer per genotype expected".to_owned();
            return Err(ExecutorError::Benchmark { message });
        }
        let completed = jobs.iter().zip(found).map(|(job, found)| completion(job, found));
        self.updates.extend(completed.map(Update::Completed));
        Ok(())
    }

    fn stop(&mut self, stopped: impl Fn(&Job) -> bool) {
        for job in self.waiting.extract_if(.., |job| stopped(job)) {
            let message = "it was stopped before it began";
            let usage = Usage::default();
            let completion = Completion::failed(&job, TrialFailure::Stopped, message, usage);
            self.updates.push(Update::Completed(completion));
        }
    }
}

/// The test accuracy of a network, if the benchmark has it: the champion's, once a search is over.
///
/// # Errors
/// A benchmark that fails.
pub fn holdout_of(
    benchmark: &Timed<Box<dyn Benchmark>>,
    genotype: &Genotype,
    fidelity: Fidelity,
) -> Result<Option<f64>, CallError> {
    let genotypes = [genotype.clone()];
    benchmark.call("look up", move |benchmark| {
        let found = benchmark.evaluate(&genotypes, &fidelity, &[0])?;
        Ok(found.first().and_then(|found| found.get(names::HOLDOUT_ACCURACY)))
    })
}

fn fidelity_of(job: &Job) -> Fidelity {
    Fidelity { epochs: job.work.epochs, data_fraction: job.work.data_fraction }
}

fn completion(job: &Job, mut found: Measurements) -> Completion {
    found.0.remove(names::HOLDOUT_ACCURACY);
    let seconds = found.get(names::SIMULATED_SECONDS).unwrap_or(0.0);
    let usage = Usage { cpu_seconds: seconds, wall_seconds: seconds, ..Usage::default() };
    if found.0.is_empty() {
        let message = "the benchmark has no entry for it";
        return Completion::failed(job, TrialFailure::Reported, message, usage);
    }
    match Ended::from_measurements(found) {
        Ended::Finished(found) => Completion::finished(job, found, usage),
        Ended::Failed { failure, message } => Completion::failed(job, failure, message, usage),
    }
}

/// A call's error with what to do about it.
fn with_help(error: &CallError) -> String {
    match error {
        CallError::Plugin(error) => match &error.help {
            Some(help) => format!("{error}; {help}"),
            None => error.to_string(),
        },
        error => error.to_string(),
    }
}

impl Executor for BenchmarkExecutor {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn submit(&mut self, job: Job) {
        self.waiting.push(job);
    }

    fn poll(&mut self, _timeout: Duration) -> Result<Vec<Update>, ExecutorError> {
        self.look_up()?;
        Ok(std::mem::take(&mut self.updates))
    }

    fn cancel(&mut self, trial: TrialId) {
        self.stop(|job| job.trial == trial);
    }

    fn stop_all(&mut self, _grace: Duration) -> Vec<Update> {
        self.stop(|_| true);
        std::mem::take(&mut self.updates)
    }
}
