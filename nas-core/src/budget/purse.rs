//! One set of limits, and what is spent and held of each: of a run, or of all runs of a team.

use std::collections::BTreeMap;

use nas_plugin_api::verdict::Spending;

use super::Reserve;
use super::account::{Account, Share};

/// Something that attempts use up side by side.
#[derive(Clone, Copy)]
pub(super) struct Resource {
    /// The name of its limit.
    pub(super) name: &'static str,
    /// How much of it was spent.
    pub(super) of: fn(&Spending) -> f64,
}

/// Processor seconds of all workers.
pub(super) const CPU: Resource = Resource { name: "cpu_seconds", of: |spent| spent.cpu_seconds };
/// Seconds of GPU of all workers.
pub(super) const GPU: Resource = Resource { name: "gpu_seconds", of: |spent| spent.gpu_seconds };
/// What follows from the times by the budget's rates.
pub(super) const PRICED: [Resource; 2] = [
    Resource { name: "energy_kwh", of: |spent| spent.energy_kwh },
    Resource { name: "money", of: |spent| spent.money },
];

/// Limits with what is spent and held of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Purse {
    /// What stands before the names of its limits in messages.
    pub(super) prefix: String,
    /// The limits that there are, by the names of their settings.
    pub(super) caps: BTreeMap<String, f64>,
    /// What is spent.
    pub(super) spent: Spending,
    /// What is held for running attempts, with a start of a worker for each.
    pub(super) held: Spending,
    /// How many runs wait for a share of what is left, this one included.
    pub(super) sharers: usize,
}

/// What attempts are like: how much is held back for each, and what is enough for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Habits {
    /// What the start of a worker may use.
    pub(super) start: Spending,
    /// The most that one attempt used.
    pub(super) largest: Spending,
    /// How much of a reservation can't be used.
    pub(super) margin: Spending,
    /// Idle workers, the one included that asks.
    pub(super) idle: usize,
}

impl Purse {
    /// The name of a limit, for messages.
    pub(super) fn name_of(&self, limit: &str) -> String {
        format!("{}{limit}", self.prefix)
    }

    /// How many trials may still begin; absent for no limit.
    pub(super) fn trials_left(&self) -> Option<u64> {
        let limit = *self.caps.get("trials")?;
        Some((limit as u64).saturating_sub(self.spent.trials))
    }

    /// What is neither spent nor held; absent for no limit.
    pub(super) fn left(&self, resource: &Resource) -> Option<f64> {
        let limit = *self.caps.get(resource.name)?;
        Some((limit - (resource.of)(&self.spent) - (resource.of)(&self.held)).max(0.0))
    }

    /// How much of a resource an attempt gets that could use `own` of it.
    pub(super) fn share(
        &self,
        resource: &Resource,
        own: f64,
        habits: &Habits,
    ) -> Result<f64, Reserve> {
        let of = resource.of;
        let account = Account {
            limit: self.caps.get(resource.name).copied(),
            spent: of(&self.spent),
            held: of(&self.held),
            start: of(&habits.start),
            largest: of(&habits.largest),
            margin: of(&habits.margin),
        };
        match account.share(own, habits.idle * self.sharers) {
            Share::Granted(share) => Ok(share),
            Share::Wait => Err(Reserve::Wait),
            Share::Spent => Err(Reserve::Spent { budget: self.name_of(resource.name) }),
        }
    }
}

/// How much of it counts against the limit of this name.
pub(super) fn amount(spending: &Spending, limit: &str) -> f64 {
    let Spending { trials, wall_seconds, cpu_seconds, gpu_seconds, energy_kwh, money } = *spending;
    match limit {
        "wall_seconds" => wall_seconds,
        "trials" => trials as f64,
        "cpu_seconds" => cpu_seconds,
        "gpu_seconds" => gpu_seconds,
        "energy_kwh" => energy_kwh,
        "money" => money,
        _ => 0.0,
    }
}

/// The sum of two spendings.
pub(super) fn plus(a: &Spending, b: &Spending) -> Spending {
    Spending {
        trials: a.trials + b.trials,
        wall_seconds: a.wall_seconds + b.wall_seconds,
        cpu_seconds: a.cpu_seconds + b.cpu_seconds,
        gpu_seconds: a.gpu_seconds + b.gpu_seconds,
        energy_kwh: a.energy_kwh + b.energy_kwh,
        money: a.money + b.money,
    }
}

/// What is left of a spending after another; nothing where that is more.
pub(super) fn less(a: &Spending, b: &Spending) -> Spending {
    Spending {
        trials: a.trials.saturating_sub(b.trials),
        wall_seconds: (a.wall_seconds - b.wall_seconds).max(0.0),
        cpu_seconds: (a.cpu_seconds - b.cpu_seconds).max(0.0),
        gpu_seconds: (a.gpu_seconds - b.gpu_seconds).max(0.0),
        energy_kwh: (a.energy_kwh - b.energy_kwh).max(0.0),
        money: (a.money - b.money).max(0.0),
    }
}

/// The larger of each number.
pub(super) fn most(a: &Spending, b: &Spending) -> Spending {
    plus(a, &less(b, a))
}
