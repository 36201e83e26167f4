//! The ledger: what is spent, what is reserved, and whether another attempt may begin.
//!
//! It alone decides that the budget is spent. It keeps nothing in a file: the search loop journals
//! what it answers, and [`Ledger::apply`] rebuilds it from the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;

use super::account::{Account, Share};
use super::{Budget, Clock, HardLimits, KillMargin, Reservation, Tally};
use crate::journal::{Control, Event};
use crate::protocol::Usage;

/// The share of a budget at which its user is warned.
const WARNING_SHARE: f64 = 0.8;

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workforce {
    /// Attempts at once, at least 1.
    pub workers: usize,
    /// Threads of each worker, at least 1.
    pub threads: usize,
    /// Whether an attempt holds a GPU for as long as it runs.
    pub uses_gpu: bool,
}

/// What the ledger answers to an attempt that wants to begin.
#[derive(Clone, Debug, PartialEq)]
pub enum Reserve {
    /// It may use this.
    Granted(Reservation),
    /// Running attempts have reserved what it needs; ask again when one has ended.
    Wait,
    /// What is left is too little for any attempt, now and later.
    Spent {
        /// Of which budget (`wall_seconds`, `trials`, `cpu_seconds`, `gpu_seconds`).
        budget: String,
    },
}

/// What is neither spent nor held for running attempts; absent numbers have no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remaining {
    /// Wall seconds.
    pub wall_seconds: Option<f64>,
    /// Trials.
    pub trials: Option<u64>,
    /// Processor seconds.
    pub cpu_seconds: Option<f64>,
    /// Seconds of GPU.
    pub gpu_seconds: Option<f64>,
}

/// What a one-shot search may use at most of what is left; absent numbers have no limit of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchAllowance {
    /// Wall seconds.
    pub wall_seconds: Option<f64>,
    /// Processor seconds.
    pub cpu_seconds: Option<f64>,
    /// Resident bytes; those of a trial where absent.
    pub memory_bytes: Option<u64>,
    /// How far below its limits its worker is killed.
    pub margin: KillMargin,
}

/// What is spent and reserved of a [`Budget`].
#[derive(Clone)]
pub struct Ledger {
    budget: Budget,
    workforce: Workforce,
    margin: KillMargin,
    clock: Arc<dyn Clock>,
    /// When this session began.
    began: Duration,
    /// Everything but this session's wall time.
    tally: Tally,
    /// What running attempts have reserved.
    open: BTreeMap<TrialId, Reservation>,
    /// The most that one attempt used, each number for itself.
    largest: Usage,
    /// Budgets of which the user was warned, with the limit that they had.
    warned: BTreeMap<String, f64>,
}

impl Ledger {
    /// The ledger of a session that begins now; of a run's first one, unless events are
    /// [applied](Self::apply).
    #[must_use]
    pub fn new(
        budget: &Budget,
        workforce: Workforce,
        margin: KillMargin,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            budget: budget.clone(),
            workforce,
            margin,
            began: clock.now(),
            clock,
            tally: Tally::default(),
            open: BTreeMap::new(),
            largest: Usage::default(),
            warned: BTreeMap::new(),
        }
    }

    /// Counts an event of an earlier session, or [`Event::Resumed`], with which this one begins;
    /// what this session does is counted as it happens, by the methods below.
    ///
    /// After the last one, [`Self::abandon_all`] charges what was under way.
    pub fn apply(&mut self, event: &Event) {
        self.tally.apply(event);
        match event {
            Event::Dispatched { trial, reservation, .. } => {
                self.open.insert(*trial, *reservation);
            }
            Event::ControlDispatched(control) => {
                self.open.insert(control.id(), control.reservation);
            }
            Event::ControlEnded { number, .. } => {
                self.open.remove(&(Control::FIRST_ID + number));
            }
            Event::Ended { trial, usage, .. } | Event::Repeated { trial, usage, .. } => {
                self.open.remove(trial);
                self.largest = self.largest.max(usage);
            }
            Event::Abandoned { trial, .. } => {
                self.open.remove(trial);
            }
            Event::BudgetWarning { budget, limit, .. } => {
                self.warned.insert(budget.clone(), *limit);
            }
            _ => {}
        }
    }

    /// Reserves what an attempt may use. Another attempt at a trial that has begun before is no
    /// new trial, but everything that it uses is charged.
    pub fn reserve(&mut self, trial: TrialId) -> Reserve {
        let offer = self.offer(self.tally.has_begun(trial));
        if let Reserve::Granted(reservation) = offer {
            self.tally.begin(trial);
            self.open.insert(trial, reservation);
        }
        offer
    }

    /// What a one-shot search may use whose own limits are these: all that is left, since nothing
    /// else runs meanwhile. Charge it with [`Self::overhead`].
    #[must_use]
    pub fn offer_search(&self, own: &SearchAllowance) -> Reserve {
        let spent = |budget: &str| Reserve::Spent { budget: budget.to_owned() };
        let (remaining, margin) = (self.remaining(), &own.margin);
        let least = |limit: Option<f64>, left: Option<f64>| {
            limit.unwrap_or(f64::INFINITY).min(left.unwrap_or(f64::INFINITY))
        };
        let too_little =
            |seconds: f64, margin: f64| seconds < (2.0 * margin).max(f64::MIN_POSITIVE);
        let less_start = |left: Option<f64>| left.map(|left| left - margin.start_seconds);
        let wall_seconds = least(own.wall_seconds, remaining.wall_seconds);
        let cpu_seconds = least(own.cpu_seconds, less_start(remaining.cpu_seconds));
        let gpu_seconds = match self.workforce.uses_gpu {
            true => less_start(remaining.gpu_seconds).unwrap_or(f64::INFINITY),
            false => 0.0,
        };
        let own_is_less = |own: Option<f64>, all: f64| own.is_some_and(|own| own <= all);
        if too_little(wall_seconds, margin.wall_seconds) {
            return spent(match own_is_less(own.wall_seconds, wall_seconds) {
                true => "supernet.wall_seconds",
                false => "wall_seconds",
            });
        }
        if too_little(cpu_seconds, margin.cpu_seconds) {
            return spent(match own_is_less(own.cpu_seconds, cpu_seconds) {
                true => "supernet.cpu_seconds",
                false => "cpu_seconds",
            });
        }
        if self.workforce.uses_gpu && too_little(gpu_seconds, margin.gpu_seconds) {
            return spent("gpu_seconds");
        }
        let memory_bytes = own.memory_bytes.unwrap_or(self.budget.trial_memory_bytes);
        Reserve::Granted(Reservation { wall_seconds, cpu_seconds, gpu_seconds, memory_bytes })
    }

    /// What a short task beside the trials may use, of what is left and not held for them; charge it
    /// with [`Self::overhead`]. `None` where that is too little.
    #[must_use]
    pub fn offer_task(&self) -> Option<Reservation> {
        match self.offer(true) {
            Reserve::Granted(reservation) => Some(reservation),
            Reserve::Wait | Reserve::Spent { .. } => None,
        }
    }

    /// What an attempt with this reservation is killed at.
    #[must_use]
    pub fn hard_limits(&self, reservation: &Reservation) -> HardLimits {
        HardLimits::within(reservation, &self.margin)
    }

    /// Charges an attempt what it used, and gives back the rest of its reservation.
    pub fn charge(&mut self, trial: TrialId, usage: &Usage) {
        self.open.remove(&trial);
        self.tally.spend(usage);
        self.largest = self.largest.max(usage);
    }

    /// Charges an attempt in full, since nobody knows what it used; says how much that is.
    pub fn abandon(&mut self, trial: TrialId) -> Usage {
        let reservation = self.open.remove(&trial);
        let usage = reservation.map_or_else(Usage::default, |reservation| reservation.in_full());
        self.tally.spend(&usage);
        usage
    }

    /// Abandons every attempt that is under way; says what each is charged.
    pub fn abandon_all(&mut self) -> Vec<(TrialId, Usage)> {
        let trials: Vec<TrialId> = self.open.keys().copied().collect();
        trials.into_iter().map(|trial| (trial, self.abandon(trial))).collect()
    }

    /// Charges what belongs to no attempt. For the start of an attempt's worker
    /// [`KillMargin::start_seconds`] are held back; keep the rest within [`Self::remaining`].
    pub fn overhead(&mut self, usage: &Usage) {
        self.tally.spend(usage);
    }

    /// What is spent.
    #[must_use]
    pub fn spent(&self) -> Spending {
        let mut spent = self.tally.spent();
        spent.wall_seconds += self.clock.now().saturating_sub(self.began).as_secs_f64();
        spent
    }

    /// What is neither spent nor held for running attempts.
    #[must_use]
    pub fn remaining(&self) -> Remaining {
        let (budget, spent) = (&self.budget, self.spent());
        Remaining {
            wall_seconds: budget.wall_seconds.map(|limit| (limit - spent.wall_seconds).max(0.0)),
            trials: budget.trials.map(|limit| limit.saturating_sub(spent.trials)),
            cpu_seconds: self.cpu().left(),
            gpu_seconds: self.gpu().left(),
        }
    }

    /// The budget of which too little is left for a new trial, now and later.
    #[must_use]
    pub fn spent_budget(&self) -> Option<String> {
        match self.offer(false) {
            Reserve::Spent { budget } => Some(budget),
            Reserve::Granted(_) | Reserve::Wait => None,
        }
    }

    /// Whether there is such a budget.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.spent_budget().is_some()
    }

    /// An [`Event::BudgetWarning`] for each budget that is nearly spent: one each, and another
    /// only after its limit was changed.
    pub fn warnings(&mut self) -> Vec<Event> {
        let spent = self.spent();
        let spent = [
            ("wall_seconds", spent.wall_seconds),
            ("trials", spent.trials as f64),
            ("cpu_seconds", spent.cpu_seconds),
            ("gpu_seconds", spent.gpu_seconds),
        ];
        let limits = self.budget.caps();
        let mut events = Vec::new();
        for (name, spent) in spent {
            let Some(&limit) = limits.get(name) else { continue };
            if spent >= WARNING_SHARE * limit && self.warned.get(name) != Some(&limit) {
                self.warned.insert(name.to_owned(), limit);
                events.push(Event::BudgetWarning { budget: name.to_owned(), spent, limit });
            }
        }
        events
    }

    fn offer(&self, is_retry: bool) -> Reserve {
        let spent = |budget: &str| Reserve::Spent { budget: budget.to_owned() };
        let remaining = self.remaining();
        if remaining.trials == Some(0) && !is_retry {
            return spent("trials");
        }
        let own_wall = self.budget.trial_seconds + self.margin.wall_seconds;
        let wall_seconds = own_wall.min(remaining.wall_seconds.unwrap_or(f64::INFINITY));
        if wall_seconds < (2.0 * self.margin.wall_seconds).max(f64::MIN_POSITIVE) {
            return spent("wall_seconds");
        }
        // The most that an attempt can use in its time: every thread always busy, and one more for
        // what libtorch and the worker do beside.
        let own_cpu = wall_seconds * (self.workforce.threads + 1) as f64;
        let own_gpu = if self.workforce.uses_gpu { wall_seconds } else { 0.0 };
        let idle = self.workforce.workers.saturating_sub(self.open.len());
        match (self.cpu().share(own_cpu, idle), self.gpu().share(own_gpu, idle)) {
            (Share::Spent, _) => spent("cpu_seconds"),
            (_, Share::Spent) => spent("gpu_seconds"),
            (Share::Wait, _) | (_, Share::Wait) => Reserve::Wait,
            (Share::Granted(cpu_seconds), Share::Granted(gpu_seconds)) => {
                let memory_bytes = self.budget.trial_memory_bytes;
                Reserve::Granted(Reservation {
                    wall_seconds,
                    cpu_seconds,
                    gpu_seconds,
                    memory_bytes,
                })
            }
        }
    }

    fn cpu(&self) -> Account {
        Account {
            limit: self.budget.cpu_seconds,
            spent: self.tally.spent().cpu_seconds,
            held: self.held(|reservation| reservation.cpu_seconds),
            start: self.margin.start_seconds,
            largest: self.largest.cpu_seconds,
            margin: self.margin.cpu_seconds,
        }
    }

    fn gpu(&self) -> Account {
        Account {
            limit: self.budget.gpu_seconds,
            spent: self.tally.spent().gpu_seconds,
            held: self.held(|reservation| reservation.gpu_seconds),
            start: self.margin.start_seconds,
            largest: self.largest.gpu_seconds,
            margin: self.margin.gpu_seconds,
        }
    }

    fn held(&self, of: impl Fn(&Reservation) -> f64) -> f64 {
        self.open.values().map(|reservation| of(reservation) + self.margin.start_seconds).sum()
    }
}
