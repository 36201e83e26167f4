//! What the ledger offers: how much of what is left an attempt, or a one-shot search, may reserve.

use super::purse::{CPU, GPU, Habits, PRICED, Purse, Resource};
use super::{KillMargin, Ledger, Reservation, Reserve, SearchAllowance};
use crate::protocol::Usage;

impl Ledger {
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

    /// What an attempt would be offered now.
    pub(super) fn offer(&self, is_retry: bool) -> Reserve {
        let purses = self.purses();
        let exhausted = purses.iter().find(|purse| purse.trials_left() == Some(0));
        if let Some(purse) = exhausted.filter(|_| !is_retry) {
            return Reserve::Spent { budget: purse.name_of("trials") };
        }
        let own_wall = self.budget.trial_seconds + self.margin.wall_seconds;
        let left = self.remaining().wall_seconds.unwrap_or(f64::INFINITY);
        let wall_seconds = own_wall.min(left);
        if wall_seconds < usable(self.margin.wall_seconds) {
            return Reserve::Spent { budget: "wall_seconds".to_owned() };
        }
        // The most that an attempt can use in its time: every thread always busy, and one more for
        // what libtorch and the worker do beside.
        let cpu_seconds = wall_seconds * (self.workforce.threads + 1) as f64;
        let gpu_seconds = if self.workforce.uses_gpu { wall_seconds } else { 0.0 };
        let memory_bytes = self.budget.trial_memory_bytes;
        let most = Reservation { wall_seconds, cpu_seconds, gpu_seconds, memory_bytes };
        self.shares(&purses, most).map_or_else(|refused| refused, Reserve::Granted)
    }

    /// What a one-shot search would be offered whose own limits are these.
    #[must_use]
    pub fn offer_search(&self, own: &SearchAllowance) -> Reserve {
        let margin = &own.margin;
        let mut wall = Tightest::new("supernet.wall_seconds", own.wall_seconds);
        let mut cpu = Tightest::new("supernet.cpu_seconds", own.cpu_seconds);
        let mut gpu = Tightest::new("gpu_seconds", None);
        wall.at_most("wall_seconds".to_owned(), self.remaining().wall_seconds);
        let start = self.start(margin);
        let threads = own.threads.max(1) as f64;
        let busy_second = self.cost(&Usage {
            wall_seconds: 1.0,
            cpu_seconds: threads,
            gpu_seconds: if self.workforce.uses_gpu { 1.0 } else { 0.0 },
            peak_memory_bytes: 0,
        });
        for purse in self.purses() {
            let left = |of: &Resource| purse.left(of).map(|left| left - (of.of)(&start));
            cpu.at_most(purse.name_of(CPU.name), left(&CPU));
            gpu.at_most(purse.name_of(GPU.name), left(&GPU));
            for priced in PRICED {
                // What a worker may use of each is what it uses in the seconds that it can pay for
                // with all threads busy.
                let rate = (priced.of)(&busy_second);
                let seconds = left(&priced).filter(|_| rate > 0.0).map(|left| left / rate);
                let name = || purse.name_of(priced.name);
                wall.at_most(name(), seconds);
                cpu.at_most(name(), seconds.map(|seconds| seconds * threads));
                gpu.at_most(name(), seconds);
            }
        }
        let spent = |limit: &Tightest, margin: f64| {
            (limit.seconds < usable(margin)).then(|| Reserve::Spent { budget: limit.name.clone() })
        };
        let of_gpu = || spent(&gpu, margin.gpu_seconds).filter(|_| self.workforce.uses_gpu);
        let refused = spent(&wall, margin.wall_seconds)
            .or_else(|| spent(&cpu, margin.cpu_seconds))
            .or_else(of_gpu);
        refused.unwrap_or_else(|| {
            Reserve::Granted(Reservation {
                wall_seconds: wall.seconds,
                cpu_seconds: cpu.seconds,
                gpu_seconds: if self.workforce.uses_gpu { gpu.seconds } else { 0.0 },
                memory_bytes: own.memory_bytes.unwrap_or(self.budget.trial_memory_bytes),
            })
        })
    }

    /// How much an attempt gets of what it could use at most; `Err` where it has to wait, or gets
    /// nothing.
    fn shares(&self, purses: &[Purse], mut offer: Reservation) -> Result<Reservation, Reserve> {
        let habits = self.habits();
        for purse in purses {
            let (cpu, gpu) = (offer.cpu_seconds, offer.gpu_seconds);
            offer.cpu_seconds = purse.share(&CPU, cpu, &habits)?;
            offer.gpu_seconds = purse.share(&GPU, gpu, &habits)?;
        }
        for purse in purses {
            for priced in PRICED {
                let own = (priced.of)(&self.cost(&offer.in_full()));
                let share = purse.share(&priced, own, &habits)?;
                if share < own {
                    offer = offer.scaled(share / own);
                    self.check_usable(&offer, purse, &priced)?;
                }
            }
        }
        Ok(offer)
    }

    /// What is cut to what can be paid for may be too little to do anything with.
    fn check_usable(
        &self,
        offer: &Reservation,
        purse: &Purse,
        priced: &Resource,
    ) -> Result<(), Reserve> {
        let KillMargin { wall_seconds, cpu_seconds, gpu_seconds, .. } = self.margin;
        let is_usable = offer.wall_seconds >= usable(wall_seconds)
            && offer.cpu_seconds >= usable(cpu_seconds)
            && (!self.workforce.uses_gpu || offer.gpu_seconds >= usable(gpu_seconds));
        match is_usable {
            true => Ok(()),
            false if (priced.of)(&purse.held) > 0.0 => Err(Reserve::Wait),
            false => Err(Reserve::Spent { budget: purse.name_of(priced.name) }),
        }
    }

    fn habits(&self) -> Habits {
        let KillMargin { wall_seconds, cpu_seconds, gpu_seconds, .. } = self.margin;
        let margin = Usage { wall_seconds, cpu_seconds, gpu_seconds, peak_memory_bytes: 0 };
        Habits {
            start: self.start(&self.margin),
            largest: self.cost(&self.largest),
            margin: self.cost(&margin),
            idle: self.workforce.workers.saturating_sub(self.open.len()),
        }
    }
}

/// The least seconds that are of use: half of them is the margin at which a worker is killed.
fn usable(margin: f64) -> f64 {
    (2.0 * margin).max(f64::MIN_POSITIVE)
}

/// The smallest of several limits, and its name.
struct Tightest {
    seconds: f64,
    name: String,
}

impl Tightest {
    fn new(name: &str, limit: Option<f64>) -> Self {
        Self { seconds: limit.unwrap_or(f64::INFINITY), name: name.to_owned() }
    }

    fn at_most(&mut self, name: String, limit: Option<f64>) {
        if let Some(seconds) = limit.filter(|limit| *limit < self.seconds) {
            *self = Self { seconds, name };
        }
    }
}
