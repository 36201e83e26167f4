//! What was spent, counted from events.

use std::collections::BTreeSet;

use nas_plugin_api::trial::{Outcome, TrialId};
use nas_plugin_api::verdict::Spending;
use serde_json::Value;

use crate::journal::Event;
use crate::protocol::Usage;

/// The longest that a supervisor leaves its journal without an event that carries the time spent.
/// A session that was cut off is charged this much for its unknown end, so that killing a
/// supervisor again and again gives no free time, but not more than was left to it: nothing is at
/// work beyond the limit.
pub const TICK_SECONDS: f64 = 1.0;

/// What a run has spent. Wall time, energy and money are those of the last event that carries them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    spent: Spending,
    /// Trials of which an attempt has begun; another attempt at one of them is no new trial.
    trials: BTreeSet<TrialId>,
    /// The limit of wall seconds, where there is one.
    wall_limit: Option<f64>,
    /// A supervisor took the run up, and there is no end of its session yet.
    is_live: bool,
}

impl Tally {
    /// Adds one event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started(start) => {
                self.wall_limit = wall_limit(&start.settings);
                self.is_live = true;
            }
            Event::Resumed { settings, .. } | Event::ControlsBegan { settings } => {
                if let Some(settings) = settings {
                    self.wall_limit = wall_limit(settings);
                }
                if self.is_live {
                    self.spent.wall_seconds += self.unknown_end();
                }
                self.is_live = true;
            }
            Event::Dispatched { trial, .. } => self.begin(*trial),
            Event::ControlDispatched(control) => self.begin(control.id()),
            Event::Ended { trial, result, usage, .. } => {
                self.spend(usage);
                if result.outcome == Outcome::Untrained {
                    self.uncount(*trial);
                }
            }
            Event::Abandoned { usage, .. }
            | Event::Repeated { usage, .. }
            | Event::SearchAbandoned { usage, .. }
            | Event::ControlEnded { usage, .. }
            | Event::Audited { usage, .. }
            | Event::HoldoutUnread { usage, .. }
            | Event::Overhead { usage, .. } => self.spend(usage),
            Event::SearchEnded(end) => self.spend(&end.usage),
            Event::SearchTicked { usage, spent } | Event::SearchEpoch { usage, spent, .. } => {
                self.spend(usage);
                self.pass(spent);
            }
            Event::Asked { spent, .. } | Event::Ticked { spent } | Event::Heartbeat { spent } => {
                self.pass(spent);
            }
            Event::Stopped { spent, .. } | Event::ControlsOver { spent, .. } => {
                self.pass(spent);
                self.is_live = false;
            }
            _ => {}
        }
    }

    /// What was spent.
    #[must_use]
    pub fn spent(&self) -> Spending {
        self.spent
    }

    /// Whether an attempt at this trial has begun.
    #[must_use]
    pub fn has_begun(&self, trial: TrialId) -> bool {
        self.trials.contains(&trial)
    }

    /// Whether the last session has no end: its supervisor is at work, or was cut off.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// What a session that was cut off is charged beyond its last event.
    fn unknown_end(&self) -> f64 {
        let left = self.wall_limit.map_or(f64::INFINITY, |limit| limit - self.spent.wall_seconds);
        left.clamp(0.0, TICK_SECONDS)
    }

    pub(super) fn begin(&mut self, trial: TrialId) {
        self.trials.insert(trial);
        self.spent.trials = self.trials.len() as u64;
    }

    /// The trial trains nothing after all.
    pub(super) fn uncount(&mut self, trial: TrialId) {
        self.trials.remove(&trial);
        self.spent.trials = self.trials.len() as u64;
    }

    pub(super) fn spend(&mut self, usage: &Usage) {
        self.spent.cpu_seconds += usage.cpu_seconds;
        self.spent.gpu_seconds += usage.gpu_seconds;
    }

    fn pass(&mut self, spent: &Spending) {
        self.spent.wall_seconds = self.spent.wall_seconds.max(spent.wall_seconds);
        self.spent.energy_kwh = spent.energy_kwh;
        self.spent.money = spent.money;
    }
}

fn wall_limit(settings: &Value) -> Option<f64> {
    settings.pointer("/budget/wall_seconds").and_then(Value::as_f64)
}
