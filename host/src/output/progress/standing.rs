//! What is known of a search while it runs, as far as a progress line needs it.

use std::collections::{BTreeMap, BTreeSet};

use nas_core::budget::Budget;
use nas_core::journal::{Event, RunHistory};
use nas_plugin_api::objective::Objective;
use nas_plugin_api::trial::{Outcome, TrialId};
use nas_plugin_api::verdict::Spending;

use crate::output::number;

/// The state of a search in a few numbers.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    objective: Objective,
    budget: Budget,
    best: Option<(TrialId, f64)>,
    outcomes: BTreeMap<&'static str, u64>,
    running: BTreeSet<TrialId>,
}

impl Standing {
    /// A search that has not begun.
    pub(crate) fn new(objective: Objective, budget: Budget) -> Self {
        let (outcomes, running) = (BTreeMap::new(), BTreeSet::new());
        Self { objective, budget, best: None, outcomes, running }
    }

    /// A search that goes on.
    pub(crate) fn resumed(objective: Objective, budget: Budget, history: &RunHistory) -> Self {
        let mut standing = Self::new(objective, budget);
        for (trial, result) in &history.results {
            standing.ended(*trial, result.outcome, result.objectives.first().copied());
        }
        standing
    }

    /// Takes an event in.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::Dispatched { trial, .. } => {
                self.running.insert(*trial);
            }
            Event::Abandoned { trial, .. } => {
                self.running.remove(trial);
            }
            Event::Ended { trial, result, .. } | Event::Settled { trial, result } => {
                self.ended(*trial, result.outcome, result.objectives.first().copied());
            }
            _ => {}
        }
    }

    fn ended(&mut self, trial: TrialId, outcome: Outcome, objective: Option<f64>) {
        self.running.remove(&trial);
        *self.outcomes.entry(outcome.name()).or_default() += 1;
        if let Some(value) = objective.filter(|_| outcome == Outcome::Finished) {
            let gain = |value| self.objective.gain(value);
            if self.best.is_none_or(|(_, best)| gain(value) > gain(best)) {
                self.best = Some((trial, value));
            }
        }
    }

    /// Whether this trial is the best so far.
    pub(crate) fn is_best(&self, trial: TrialId) -> bool {
        self.best.is_some_and(|(best, _)| best == trial)
    }

    /// The name of the first objective.
    pub(crate) fn objective(&self) -> &str {
        &self.objective.name
    }

    /// The share of the budget that is spent, of the one that is nearest to its end; absent
    /// without any limit.
    pub(crate) fn share(&self, spent: &Spending) -> Option<f64> {
        let Budget { trials, wall_seconds, cpu_seconds, gpu_seconds, .. } = &self.budget;
        [
            trials.map(|limit| {
                spent.trials.saturating_sub(self.running.len() as u64) as f64 / limit as f64
            }),
            wall_seconds.map(|limit| spent.wall_seconds / limit),
            cpu_seconds.map(|limit| spent.cpu_seconds / limit),
            gpu_seconds.map(|limit| spent.gpu_seconds / limit),
        ]
        .into_iter()
        .flatten()
        .reduce(f64::max)
        .map(|share| share.clamp(0.0, 1.0))
    }

    /// Seconds until the budget is spent, if the search goes on as it went.
    pub(crate) fn seconds_left(&self, spent: &Spending) -> Option<f64> {
        let share = self.share(spent).filter(|share| *share > 0.0)?;
        Some(spent.wall_seconds * (1.0 - share) / share)
    }

    /// `best accuracy 0.9812 (trial 7)`
    pub(crate) fn best(&self) -> String {
        match self.best {
            Some((trial, value)) => {
                format!("best {} {} (trial {trial})", self.objective.name, number::value(value))
            }
            None => "no result yet".to_owned(),
        }
    }

    /// `2 running`, `1 running`
    pub(crate) fn running(&self) -> String {
        format!("{} running", self.running.len())
    }

    /// `18 of 24 trials left, 1 min 30 s of 2 min 00 s left`
    pub(crate) fn left(&self, spent: &Spending) -> String {
        let mut parts = Vec::new();
        if let Some(limit) = self.budget.trials {
            parts.push(format!("{} of {limit} trials left", limit.saturating_sub(spent.trials)));
        }
        let times = [
            ("", self.budget.wall_seconds, spent.wall_seconds),
            (" of CPU", self.budget.cpu_seconds, spent.cpu_seconds),
            (" of GPU", self.budget.gpu_seconds, spent.gpu_seconds),
        ];
        for (what, limit, used) in times {
            if let Some(limit) = limit {
                parts.push(format!("{}{what} left", number::seconds((limit - used).max(0.0))));
            }
        }
        if parts.is_empty() { "no budget".to_owned() } else { parts.join(", ") }
    }
}
