//! An executor without processes: a closure answers each job when it is polled.

use std::time::Duration;

use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::TrialId;

use super::{Completion, Executor, ExecutorError, Job, TrialFailure, Update};
use crate::protocol::Usage;

/// Completes every job at once, for tests and benchmarks of the search loop. Nothing is timed and
/// no limit is enforced.
pub struct InstantExecutor {
    capacity: usize,
    evaluate: Box<dyn FnMut(&Job) -> Completion + Send>,
    waiting: Vec<Job>,
    updates: Vec<Update>,
    order: Order,
}

/// In which order jobs complete.
enum Order {
    /// All of them, as submitted.
    Submitted,
    /// One to `capacity` of them, drawn from the first `capacity`.
    Shuffled(SplitMix),
}

impl InstantExecutor {
    /// An executor that completes jobs as this closure says.
    #[must_use]
    pub fn new(capacity: usize, evaluate: impl FnMut(&Job) -> Completion + Send + 'static) -> Self {
        Self {
            capacity: capacity.max(1),
            evaluate: Box::new(evaluate),
            waiting: Vec::new(),
            updates: Vec::new(),
            order: Order::Submitted,
        }
    }

    /// An executor that finishes every job with these measurements and a usage of zero.
    #[must_use]
    pub fn measuring(
        capacity: usize,
        mut measure: impl FnMut(&Job) -> Measurements + Send + 'static,
    ) -> Self {
        Self::new(capacity, move |job| Completion::finished(job, measure(job), Usage::default()))
    }

    /// Completes jobs in an order and in portions drawn from this seed, as parallel workers of
    /// different speed would; no job overtakes one that no worker would hold yet.
    #[must_use]
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.order = Order::Shuffled(SplitMix(seed));
        self
    }

    fn complete(&mut self, job: &Job) {
        let completion = (self.evaluate)(job);
        for record in &completion.curve {
            let (trial, attempt) = (completion.trial, completion.attempt);
            self.updates.push(Update::Epoch { trial, attempt, record: record.clone() });
        }
        self.updates.push(Update::Completed(completion));
    }

    fn stop(&mut self, stopped: impl Fn(&Job) -> bool) {
        for job in self.waiting.extract_if(.., |job| stopped(job)) {
            let usage = Usage::default();
            let message = "it was stopped before it began";
            let completion = Completion::failed(&job, TrialFailure::Stopped, message, usage);
            self.updates.push(Update::Completed(completion));
        }
    }
}

impl Executor for InstantExecutor {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn submit(&mut self, job: Job) {
        self.waiting.push(job);
    }

    fn poll(&mut self, _timeout: Duration) -> Result<Vec<Update>, ExecutorError> {
        let n_running = self.waiting.len().min(self.capacity);
        if n_running > 0 {
            match &mut self.order {
                Order::Submitted => {
                    let mut jobs = std::mem::take(&mut self.waiting);
                    self.updates.reserve(jobs.len());
                    jobs.drain(..).for_each(|job| self.complete(&job));
                    self.waiting = jobs;
                }
                Order::Shuffled(random) => {
                    let n_completed = 1 + random.below(n_running);
                    let draws: Vec<usize> =
                        (0..n_completed).map(|done| random.below(n_running - done)).collect();
                    for index in draws {
                        let job = self.waiting.remove(index);
                        self.complete(&job);
                    }
                }
            }
        }
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

impl std::fmt::Debug for InstantExecutor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { capacity, waiting, .. } = self;
        write!(out, "InstantExecutor(capacity {capacity}, {} waiting)", waiting.len())
    }
}

/// Steele, Lea and Flood's SplitMix64, OOPSLA 2014: enough for an order.
struct SplitMix(u64);

impl SplitMix {
    /// A number below `n`, which is at least 1; the bias for small `n` does not matter here.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % n as u64) as usize
    }
}
