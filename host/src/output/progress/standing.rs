//! What is known of a search while it runs, as far as a progress line needs it.

use std::collections::BTreeSet;

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
    running: BTreeSet<TrialId>,
    /// Trials that were dispatched and have ended.
    n_done: u64,
}

impl Standing {
    /// A search that has not begun.
    pub(crate) fn new(objective: Objective, budget: Budget) -> Self {
        Self { objective, budget, best: None, running: BTreeSet::new(), n_done: 0 }
    }

    /// A search that goes on.
    pub(crate) fn resumed(objective: Objective, budget: Budget, history: &RunHistory) -> Self {
        let mut standing = Self::new(objective, budget);
        for (trial, result) in &history.results {
            standing.ended(*trial, result.outcome, result.objectives.first().copied());
            let was_tried = history.attempts.contains_key(trial);
            standing.n_done += u64::from(was_tried && result.outcome != Outcome::Untrained);
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
            Event::Ended { trial, result, .. } => {
                self.ended(*trial, result.outcome, result.objectives.first().copied());
                self.n_done += u64::from(result.outcome != Outcome::Untrained);
            }
            _ => {}
        }
    }

    fn ended(&mut self, trial: TrialId, outcome: Outcome, objective: Option<f64>) {
        self.running.remove(&trial);
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
        let Budget { trials, wall_seconds, cpu_seconds, gpu_seconds, energy_kwh, money, .. } =
            &self.budget;
        [
            trials.map(|limit| self.n_done as f64 / limit as f64),
            wall_seconds.map(|limit| spent.wall_seconds / limit),
            cpu_seconds.map(|limit| spent.cpu_seconds / limit),
            gpu_seconds.map(|limit| spent.gpu_seconds / limit),
            energy_kwh.map(|limit| spent.energy_kwh / limit),
            money.map(|limit| spent.money / limit),
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

    /// `best 0.9812`
    pub(crate) fn best(&self) -> String {
        match self.best {
            Some((_, value)) => format!("best {}", number::value(value)),
            None => "no result yet".to_owned(),
        }
    }

    /// `2 running`
    pub(crate) fn running(&self) -> String {
        format!("{} running", self.running.len())
    }

    /// `18 trials, 1 min 30 s left`
    pub(crate) fn left(&self, spent: &Spending) -> String {
        let mut parts = Vec::new();
        if let Some(limit) = self.budget.trials {
            parts.push(format!("{} trials", limit.saturating_sub(spent.trials)));
        }
        let times = [
            ("", self.budget.wall_seconds, spent.wall_seconds),
            (" of CPU", self.budget.cpu_seconds, spent.cpu_seconds),
            (" of GPU", self.budget.gpu_seconds, spent.gpu_seconds),
        ];
        for (what, limit, used) in times {
            if let Some(limit) = limit {
                parts.push(format!("{}{what}", number::seconds((limit - used).max(0.0))));
            }
        }
        let priced = [
            (" kWh", self.budget.energy_kwh, spent.energy_kwh),
            (" of money", self.budget.money, spent.money),
        ];
        for (what, limit, used) in priced {
            if let Some(limit) = limit {
                parts.push(format!("{}{what}", number::value((limit - used).max(0.0))));
            }
        }
        match parts.is_empty() {
            true => "no limit".to_owned(),
            false => format!("{} left", parts.join(", ")),
        }
    }
}
