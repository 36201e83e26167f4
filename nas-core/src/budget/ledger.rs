//! The ledger: what is spent, what is reserved, and whether another attempt may begin.
//!
//! It alone decides that the budget is spent. It keeps nothing in a file: the search loop journals
//! what it answers, and [`Ledger::apply`] rebuilds it from the journal. What it offers stands in
//! the module beside, `offer`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;

use super::purse::{CPU, GPU, PRICED, Purse, amount, less, plus};
use super::quota::{Claim, Others};
use super::{Budget, Clock, HardLimits, KillMargin, Quota, QuotaError, Reservation, Tally};
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
        /// Of which budget (`wall_seconds`, `trials`, …; `quota.TEAM.trials`, … of a quota).
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
    /// Energy in kilowatt-hours.
    pub energy_kwh: Option<f64>,
    /// Money.
    pub money: Option<f64>,
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
    /// Threads of its worker.
    pub threads: usize,
}

/// What is spent and reserved of a [`Budget`], and of a quota where there is one.
#[derive(Clone)]
pub struct Ledger {
    pub(super) budget: Budget,
    pub(super) workforce: Workforce,
    pub(super) margin: KillMargin,
    clock: Arc<dyn Clock>,
    /// When this session began.
    began: Duration,
    /// Everything but this session's wall time.
    tally: Tally,
    /// What running attempts have reserved.
    pub(super) open: BTreeMap<TrialId, Reservation>,
    /// The most that one attempt used, each number for itself.
    pub(super) largest: Usage,
    /// Budgets of which the user was warned, with the limit that they had.
    warned: BTreeMap<String, f64>,
    /// The quota that is counted against, and how the others stood when it was looked at last.
    quota: Option<(Arc<Quota>, Others)>,
    /// What a one-shot search has reserved, and what had been spent then.
    search: Option<(Spending, Spending)>,
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
            quota: None,
            search: None,
        }
    }

    /// The same, where what is spent counts against a quota too.
    #[must_use]
    pub fn within(self, quota: Quota) -> Self {
        Self { quota: Some((Arc::new(quota), Others::default())), ..self }
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
    ///
    /// # Errors
    /// A quota that can't be used.
    pub fn reserve(&mut self, trial: TrialId) -> Result<Reserve, QuotaError> {
        self.claim(|ledger| {
            let offer = ledger.offer(ledger.tally.has_begun(trial));
            if let Reserve::Granted(reservation) = offer {
                ledger.tally.begin(trial);
                ledger.open.insert(trial, reservation);
            }
            offer
        })
    }

    /// Reserves what a one-shot search may use: all that is left, since nothing else runs
    /// meanwhile. Charge it with [`Self::overhead`].
    ///
    /// # Errors
    /// A quota that can't be used.
    pub fn reserve_search(&mut self, own: &SearchAllowance) -> Result<Reserve, QuotaError> {
        self.claim(|ledger| {
            let offer = ledger.offer_search(own);
            if let Reserve::Granted(reservation) = offer {
                let cost = plus(&ledger.cost(&reservation.in_full()), &ledger.start(&own.margin));
                ledger.search = Some((cost, ledger.spent()));
            }
            offer
        })
    }

    /// A one-shot search's worker is gone; what it did not use of its reservation is free again.
    pub fn release_search(&mut self) {
        self.search = None;
    }

    /// Tells the quota what is spent and held by now, where one is counted against.
    ///
    /// # Errors
    /// A quota that can't be used.
    pub fn report(&mut self) -> Result<(), QuotaError> {
        self.claim(|_| ())
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

    /// A trial ended without training: it was charged what it used, and is none of the trials that
    /// a budget counts.
    pub fn untrained(&mut self, trial: TrialId) {
        self.tally.uncount(trial);
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
        self.budget.rates.priced(spent)
    }

    /// What is neither spent nor held for running attempts, of the run's own budget.
    #[must_use]
    pub fn remaining(&self) -> Remaining {
        let (own, [energy, money]) = (self.own(), PRICED);
        let wall_seconds = self.budget.wall_seconds;
        Remaining {
            wall_seconds: wall_seconds.map(|limit| (limit - own.spent.wall_seconds).max(0.0)),
            trials: own.trials_left(),
            cpu_seconds: own.left(&CPU),
            gpu_seconds: own.left(&GPU),
            energy_kwh: own.left(&energy),
            money: own.left(&money),
        }
    }

    /// An [`Event::BudgetWarning`] for each budget that is nearly spent: one each, and another
    /// only after its limit was changed.
    pub fn warnings(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for purse in self.purses() {
            for (name, &limit) in &purse.caps {
                let (spent, budget) = (amount(&purse.spent, name), purse.name_of(name));
                if spent >= WARNING_SHARE * limit && self.warned.get(&budget) != Some(&limit) {
                    self.warned.insert(budget.clone(), limit);
                    events.push(Event::BudgetWarning { budget, spent, limit });
                }
            }
        }
        events
    }

    /// The run's own budget with what is spent and held of it, and the quota.
    pub(super) fn purses(&self) -> Vec<Purse> {
        let own = self.own();
        let of_team = self.quota.as_ref().map(|(quota, others)| Purse {
            prefix: format!("quota.{}.", quota.team()),
            caps: quota.caps().clone(),
            spent: plus(&others.spent, &less(&own.spent, &others.before)),
            held: plus(&others.held, &own.held),
            sharers: 1 + others.n_idle,
        });
        [own].into_iter().chain(of_team).collect()
    }

    fn own(&self) -> Purse {
        let (caps, spent) = (self.budget.caps(), self.spent());
        let (prefix, held) = (String::new(), self.held(&spent));
        Purse { prefix, caps, spent, held, sharers: 1 }
    }

    /// What attempts hold, a start of a worker for each included, and a one-shot search.
    fn held(&self, spent: &Spending) -> Spending {
        let start = self.start(&self.margin);
        let of_search = self.search.map(|(cost, before)| less(&cost, &less(spent, &before)));
        let costs = self.open.values().map(|open| plus(&self.cost(&open.in_full()), &start));
        costs.chain(of_search).fold(Spending::default(), |sum, cost| plus(&sum, &cost))
    }

    /// What the start of a worker may cost.
    pub(super) fn start(&self, margin: &KillMargin) -> Spending {
        let cpu_seconds = margin.start_seconds;
        let gpu_seconds = if self.workforce.uses_gpu { cpu_seconds } else { 0.0 };
        self.cost(&Usage { cpu_seconds, gpu_seconds, ..Usage::default() })
    }

    /// What this usage costs.
    pub(super) fn cost(&self, usage: &Usage) -> Spending {
        let Usage { cpu_seconds, gpu_seconds, wall_seconds, peak_memory_bytes: _ } = *usage;
        let times = Spending { wall_seconds, cpu_seconds, gpu_seconds, ..Spending::default() };
        self.budget.rates.priced(times)
    }

    /// Looks at the quota, does something, and claims what is spent and held then, with no other
    /// run in between.
    fn claim<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Result<T, QuotaError> {
        let Some((quota, _)) = self.quota.clone() else { return Ok(act(self)) };
        let (now_ms, spent) = (self.clock.unix_ms(), self.spent());
        quota.claim(now_ms, &spent, |others| {
            self.quota = Some((Arc::clone(&quota), *others));
            let answer = act(self);
            let spent = self.spent();
            (answer, Claim { spent, held: self.held(&spent) })
        })
    }
}
