//! How a one-shot search ends, for good or for another worker to go on.

use std::time::Duration;

use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::run::{OneShotSearch, Part, SearchOutcome};
use crate::budget::Reserve;
use crate::executor::{SearchUpdate, SearchWorker, TrialFailure};
use crate::journal::{Event, RandomGenotype, SearchEnd, SearchEndReason, StopReason};
use crate::protocol::one_shot::{Order, SearchFailure, SearchFound};
use crate::protocol::{Failure, Usage};
use crate::search::SearchError;

/// How long the worker gets to end by itself.
const GRACE: Duration = Duration::from_millis(500);
/// How long it gets to answer that it stops.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

impl OneShotSearch<'_> {
    pub(super) fn finished(
        &mut self,
        mut worker: SearchWorker,
        found: SearchFound,
    ) -> Result<Part, SearchError> {
        let mut usage = worker.used();
        usage.add(&worker.end(GRACE));
        let fault = match found.genotypes.as_slice() {
            [] => Some("no genotype".to_owned()),
            all => all
                .iter()
                .find_map(|genotype| self.space.check(genotype).err())
                .map(|error| format!("a genotype that is none of the space: {error}")),
        };
        if let Some(fault) = fault {
            let reason = self.strategy_failed(format!("derive: it gave {fault}"));
            self.charge_end(usage, &reason.to_string())?;
            return Ok(Part::Over(SearchOutcome::Stopped(reason)));
        }
        self.end(SearchEndReason::StrategyDone, None, found.genotypes, usage).map(Part::Over)
    }

    /// The worker says that it can't go on.
    pub(super) fn reported(
        &mut self,
        mut worker: SearchWorker,
        failure: SearchFailure,
    ) -> Result<Part, SearchError> {
        let mut usage = worker.used();
        usage.add(&worker.end(GRACE));
        let SearchFailure { failure, component, message, .. } = failure;
        if failure == Failure::OutOfTime {
            return self.out_of_time(usage).map(Part::Over);
        }
        let reason = match component {
            Some(component) => StopReason::PluginFailed { component, message },
            None => StopReason::SearchFailed {
                message: format!("{}: {message}{}", self.place(), self.advice(failure)),
            },
        };
        self.charge_end(usage, &reason.to_string())?;
        Ok(Part::Over(SearchOutcome::Stopped(reason)))
    }

    /// The worker is gone.
    pub(super) fn lost(
        &mut self,
        worker: SearchWorker,
        update: SearchUpdate,
    ) -> Result<Part, SearchError> {
        let usage = worker.end(Duration::ZERO);
        let SearchUpdate::Gone { failure, message } = update else { return Ok(Part::Again) };
        match failure {
            TrialFailure::TimedOut => self.out_of_time(usage).map(Part::Over),
            TrialFailure::OutOfMemory => {
                let advice = self.advice(Failure::OutOfMemory);
                let message = format!("{}: {message}{advice}", self.place());
                self.charge_end(usage, &message)?;
                let reason = StopReason::SearchFailed { message };
                Ok(Part::Over(SearchOutcome::Stopped(reason)))
            }
            _ => {
                self.charge_end(usage, &message)?;
                Ok(self.failed(&message))
            }
        }
    }

    /// Another worker died: one more tries, unless too many did.
    pub(super) fn failed(&mut self, message: &str) -> Part {
        self.state.failures += 1;
        if self.state.failures <= self.settings.retries {
            return Part::Again;
        }
        let (n, place) = (self.state.failures, self.place());
        let message = format!("{n} died in a row {place}; the last: {message}");
        Part::Over(SearchOutcome::Stopped(StopReason::WorkersFailed { message }))
    }

    fn place(&self) -> String {
        let history = &self.state.history;
        match &history.plan {
            None => "before the first epoch".to_owned(),
            Some(plan) if history.next_epoch() >= plan.plan.epochs => {
                "after the last epoch".to_owned()
            }
            Some(_) => format!("in epoch {}", history.next_epoch()),
        }
    }

    fn advice(&self, failure: Failure) -> &'static str {
        match failure {
            Failure::OutOfMemory => {
                "; raise `supernet.memory_bytes`, or make `supernet.cells`, `supernet.channels` or \
                 the batch smaller"
            }
            Failure::Diverged => {
                "; a lower learning rate or a gradient clip may help; every epoch before is kept"
            }
            _ => "",
        }
    }

    pub(super) fn strategy_failed(&self, message: String) -> StopReason {
        StopReason::PluginFailed { component: self.job.strategy.name.clone(), message }
    }

    /// The worker used all that was reserved.
    fn out_of_time(&mut self, usage: Usage) -> Result<SearchOutcome, SearchError> {
        self.charge_end(usage, "it used all that it may")?;
        let budget = match self.ledger.offer_search(&self.allowance()) {
            Reserve::Spent { budget } => budget,
            Reserve::Granted(_) | Reserve::Wait => "wall_seconds".to_owned(),
        };
        self.out_of_budget(&budget, Usage::default())
    }

    /// Nothing is left for another epoch: the last one counts, if there is one.
    pub(super) fn out_of_budget(
        &mut self,
        budget: &str,
        usage: Usage,
    ) -> Result<SearchOutcome, SearchError> {
        let budget = budget.to_owned();
        let last = self.state.history.last();
        if let Some((epoch, genotype)) =
            last.and_then(|last| Some((last.checkpoint.epoch, last.genotype.clone()?)))
        {
            let why = SearchEndReason::BudgetSpent { budget };
            return self.end(why, Some(epoch), vec![genotype], usage);
        }
        Ok(SearchOutcome::Stopped(match budget.strip_prefix("supernet.") {
            None => StopReason::BudgetSpent { budget },
            Some(_) => StopReason::SearchFailed {
                message: format!(
                    "`{budget}` is used up, and no epoch ended from which could be derived"
                ),
            },
        }))
    }

    pub(super) fn end_at(
        &mut self,
        epoch: u32,
        why: SearchEndReason,
        usage: Usage,
    ) -> Result<SearchOutcome, SearchError> {
        let genotype = self.state.history.epoch(epoch).and_then(|epoch| epoch.genotype.clone());
        let genotypes: Vec<Genotype> = genotype.into_iter().collect();
        self.end(why, Some(epoch), genotypes, usage)
    }

    fn end(
        &mut self,
        why: SearchEndReason,
        epoch: Option<u32>,
        genotypes: Vec<Genotype>,
        usage: Usage,
    ) -> Result<SearchOutcome, SearchError> {
        self.ledger.overhead(&usage);
        let baseline =
            baseline(self.space, self.seed, self.settings.baseline).map_err(|source| {
                SearchError::Component {
                    component: self.space.name().to_owned(),
                    source: source.into(),
                }
            })?;
        let end = SearchEnd { why, epoch, genotypes, baseline, usage };
        self.write(vec![Event::SearchEnded(Box::new(end.clone()))])?;
        Ok(SearchOutcome::Ended(end))
    }

    pub(super) fn interrupt(&mut self, worker: SearchWorker) -> Result<Part, SearchError> {
        self.stop_for(worker, self.stop.reason())
    }

    pub(super) fn stop_for(
        &mut self,
        mut worker: SearchWorker,
        reason: StopReason,
    ) -> Result<Part, SearchError> {
        let mut usage = worker.used();
        usage.add(&worker.end(GRACE));
        self.charge_end(usage, &reason.to_string())?;
        Ok(Part::Over(SearchOutcome::Stopped(reason)))
    }

    /// Tells the worker that the search is over, and waits for its farewell.
    pub(super) fn dismiss(&mut self, mut worker: SearchWorker) -> Usage {
        worker.proceed(Order::Stop);
        worker.poll(STOP_PATIENCE);
        let mut usage = worker.used();
        usage.add(&worker.end(GRACE));
        usage
    }

    /// Charges what a worker used to its end.
    fn charge_end(&mut self, usage: Usage, message: &str) -> Result<(), SearchError> {
        self.ledger.overhead(&usage);
        let warnings = self.ledger.warnings();
        self.abandon(usage, message, warnings)
    }

    pub(super) fn abandon(
        &mut self,
        usage: Usage,
        message: &str,
        mut more: Vec<Event>,
    ) -> Result<(), SearchError> {
        let attempt = self.state.history.attempts.saturating_sub(1);
        let message = message.to_owned();
        let mut events = vec![Event::SearchAbandoned { attempt, usage, message }];
        events.append(&mut more);
        self.write(events)
    }
}

/// Random genotypes of a space, each from a seed of its own.
fn baseline(space: &Space, seed: u64, n: usize) -> Result<Vec<RandomGenotype>, PluginError> {
    (0..n as u64)
        .map(|index| {
            let seed = xxh3_64_with_seed(b"baseline", seed.wrapping_add(index));
            let genotype = random_genotype(space, &mut generator(seed))?;
            Ok(RandomGenotype { seed, genotype })
        })
        .collect()
}
