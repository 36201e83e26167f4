//! Random searches with several workers, crashes included.

use std::sync::Arc;
use std::time::Duration;

use nas_core::budget::{
    Budget, Clock, FakeClock, KillMargin, Ledger, Rates, Reservation, Reserve, Workforce,
};
use nas_core::journal::{Event, RunHistory, Start, StopReason};
use nas_core::protocol::Usage;
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;
use proptest::prelude::*;

/// Something that may happen in a search.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A worker wants a new trial.
    New,
    /// An attempt ends that has used this share of what it may; its worker had to be started.
    End { which: usize, share: f64, start_share: f64 },
    /// A worker dies.
    Die { which: usize },
    /// Something beside the trials uses this share of what is left.
    Overhead { share: f64 },
    /// Time passes.
    Wait { seconds: f64 },
    /// The supervisor is killed and takes the run up again.
    Crash,
    /// The supervisor stops and takes the run up again.
    Stop,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::New),
        4 => (0..8_usize, 0.0..=1.0, 0.0..=1.0)
            .prop_map(|(which, share, start_share)| Step::End { which, share, start_share }),
        1 => (0..8_usize).prop_map(|which| Step::Die { which }),
        1 => (0.0..=1.0).prop_map(|share| Step::Overhead { share }),
        1 => (0.0..20.0).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Crash),
        1 => Just(Step::Stop),
    ]
}

prop_compose! {
    fn any_budget()(
        wall_seconds in prop::option::of(1.0..200.0),
        trials in prop::option::of(1..20_u64),
        cpu_seconds in prop::option::of(0.5..500.0),
        gpu_seconds in prop::option::of(0.5..500.0),
        (energy_kwh, money) in (prop::option::of(0.001..1.0), prop::option::of(0.01..5.0)),
        (watts_per_cpu, watts_per_gpu) in (0.0..1e4, 0.0..1e4),
        prices in (0.0..100.0, 0.0..100.0, 0.0..100.0),
        trial_seconds in 0.5..100.0,
    ) -> Budget {
        let trial_memory_bytes = 1 << 30;
        let (price_per_cpu_hour, price_per_gpu_hour, price_per_hour) = prices;
        let rates = Rates {
            watts_per_cpu,
            watts_per_gpu,
            price_per_cpu_hour,
            price_per_gpu_hour,
            price_per_hour,
        };
        Budget {
            wall_seconds,
            trials,
            cpu_seconds,
            gpu_seconds,
            energy_kwh,
            money,
            trial_seconds,
            trial_memory_bytes,
            rates,
        }
    }
}

/// A search as the loop runs it, in small.
struct Run {
    budget: Budget,
    workforce: Workforce,
    margin: KillMargin,
    clock: Arc<FakeClock>,
    ledger: Ledger,
    journal: Vec<Event>,
    next_trial: TrialId,
    /// Trials that are to be tried again.
    retries: Vec<TrialId>,
    running: Vec<Attempt>,
}

#[derive(Clone, Copy)]
struct Attempt {
    trial: TrialId,
    number: u32,
    reservation: Reservation,
}

impl Run {
    fn new(budget: Budget, workforce: Workforce, margin: KillMargin) -> Self {
        let clock = Arc::new(FakeClock::new());
        let start = Start {
            folder: Default::default(),
            version: String::new(),
            settings: serde_json::Value::Null,
            seed: 0,
            components: Vec::new(),
            files: Vec::new(),
            data: None,
        };
        Self {
            ledger: Ledger::new(&budget, workforce, margin, clock.clone()),
            budget,
            workforce,
            margin,
            clock,
            journal: vec![Event::Started(Box::new(start))],
            next_trial: 0,
            retries: Vec::new(),
            running: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::New => self.dispatch(),
            Step::End { which, share, start_share } => self.end(which, share, start_share),
            Step::Die { which } => self.die(which),
            Step::Overhead { share } => self.overhead(share),
            Step::Wait { seconds } => self.clock.advance(Duration::from_secs_f64(seconds)),
            Step::Crash => self.resume(),
            Step::Stop => {
                (0..self.running.len()).for_each(|_| self.end(0, 0.5, 0.0));
                let (reason, spent) = (StopReason::Interrupted, self.ledger.spent());
                self.journal.push(Event::Stopped { reason, spent, champion: None });
                self.resume();
            }
        }
        self.journal.extend(self.ledger.warnings());
    }

    fn dispatch(&mut self) {
        if self.running.len() >= self.workforce.workers {
            return;
        }
        let retry = self.retries.pop();
        let trial = retry.unwrap_or(self.next_trial);
        let history = RunHistory::of(&self.journal);
        match self.ledger.reserve(trial).unwrap() {
            Reserve::Granted(reservation) => {
                let number = history.attempts.get(&trial).copied().unwrap_or(0);
                self.next_trial = self.next_trial.max(trial + 1);
                self.running.push(Attempt { trial, number, reservation });
                self.journal.push(Event::Dispatched {
                    trial,
                    attempt: number,
                    reservation,
                    seed: trial,
                });
            }
            refused => {
                self.retries.extend(retry);
                let may_wait = !self.running.is_empty();
                assert!(refused != Reserve::Wait || may_wait, "nothing would end the wait");
            }
        }
    }

    fn end(&mut self, which: usize, share: f64, start_share: f64) {
        let Some(attempt) = self.take(which) else { return };
        let Attempt { trial, reservation, .. } = attempt;
        let started = start_share * self.margin.start_seconds;
        self.spend_beside(Usage {
            cpu_seconds: started,
            gpu_seconds: if self.workforce.uses_gpu { started } else { 0.0 },
            ..Usage::default()
        });
        let usage = Usage {
            cpu_seconds: share * reservation.cpu_seconds,
            gpu_seconds: share * reservation.gpu_seconds,
            wall_seconds: share * reservation.wall_seconds,
            peak_memory_bytes: 1,
        };
        self.ledger.charge(trial, &usage);
        self.journal.push(ended(attempt, usage));
    }

    fn die(&mut self, which: usize) {
        let Some(Attempt { trial, number, .. }) = self.take(which) else { return };
        let usage = self.ledger.abandon(trial);
        self.journal.push(Event::Abandoned { trial, attempt: number, usage });
        self.retries.push(trial);
    }

    fn take(&mut self, which: usize) -> Option<Attempt> {
        let n_running = self.running.len();
        (n_running > 0).then(|| self.running.remove(which % n_running))
    }

    fn overhead(&mut self, share: f64) {
        let left = self.ledger.remaining();
        // What is priced bounds the times too.
        let rates = self.budget.rates;
        let of = |cpu_seconds: f64, gpu_seconds: f64| {
            rates.priced(Spending { cpu_seconds, gpu_seconds, ..Spending::default() })
        };
        let all = of(left.cpu_seconds.unwrap_or(10.0), left.gpu_seconds.unwrap_or(10.0));
        let within = |left: Option<f64>, all: f64| left.map_or(1.0, |left| (left / all).min(1.0));
        let share =
            share * within(left.energy_kwh, all.energy_kwh).min(within(left.money, all.money));
        self.spend_beside(Usage {
            cpu_seconds: share * left.cpu_seconds.unwrap_or(10.0),
            gpu_seconds: share * left.gpu_seconds.unwrap_or(10.0),
            ..Usage::default()
        });
    }

    fn spend_beside(&mut self, usage: Usage) {
        self.ledger.overhead(&usage);
        self.journal.push(Event::Overhead { what: "beside".to_owned(), usage });
    }

    /// A new supervisor: all it knows is the journal.
    fn resume(&mut self) {
        self.ledger = self.folded();
        let resumed = Event::Resumed { settings: None, version: String::new() };
        self.ledger.apply(&resumed);
        self.journal.push(resumed);
        for attempt in std::mem::take(&mut self.running) {
            self.retries.push(attempt.trial);
        }
        let attempts = RunHistory::of(&self.journal).open;
        for (trial, usage) in self.ledger.abandon_all() {
            let found = attempts.keys().find(|(open, _)| *open == trial);
            let (_, attempt) = *found.expect("the ledger knows the attempts of the journal");
            self.journal.push(Event::Abandoned { trial, attempt, usage });
        }
    }

    fn folded(&self) -> Ledger {
        let mut ledger = Ledger::new(&self.budget, self.workforce, self.margin, self.clock.clone());
        self.journal.iter().for_each(|event| ledger.apply(event));
        ledger
    }

    fn check(&mut self) {
        let spent = self.ledger.spent();
        let held = |of: fn(&Reservation) -> f64| -> f64 {
            self.running.iter().map(|attempt| of(&attempt.reservation)).sum()
        };
        let within = |spent: f64, held: f64, limit: Option<f64>| {
            limit.is_none_or(|limit| spent + held <= limit * (1.0 + 1e-9))
        };
        let cpu_held = held(|reservation| reservation.cpu_seconds);
        let gpu_held = held(|reservation| reservation.gpu_seconds);
        assert!(within(spent.cpu_seconds, cpu_held, self.budget.cpu_seconds), "{spent:?}");
        assert!(within(spent.gpu_seconds, gpu_held, self.budget.gpu_seconds), "{spent:?}");
        let held = self.running.iter().map(|attempt| attempt.reservation.in_full());
        let held = held.fold(Spending::default(), |sum, usage| Spending {
            wall_seconds: sum.wall_seconds + usage.wall_seconds,
            cpu_seconds: sum.cpu_seconds + usage.cpu_seconds,
            gpu_seconds: sum.gpu_seconds + usage.gpu_seconds,
            ..sum
        });
        let held = self.budget.rates.priced(held);
        assert!(within(spent.energy_kwh, held.energy_kwh, self.budget.energy_kwh), "{spent:?}");
        if let Some(Event::Dispatched { .. }) = self.journal.last() {
            assert!(within(spent.money, held.money, self.budget.money), "{spent:?}");
        }
        assert!(self.budget.trials.is_none_or(|limit| spent.trials <= limit), "{spent:?}");
        if let (Some(limit), Some(last)) = (self.budget.wall_seconds, self.running.last())
            && let Some(Event::Dispatched { .. }) = self.journal.last()
        {
            assert!(spent.wall_seconds + last.reservation.wall_seconds <= limit * (1.0 + 1e-9));
        }
        self.check_fold();
    }

    /// The ledger that is folded from the journal answers just as the living one.
    fn check_fold(&mut self) {
        let spent = self.ledger.spent();
        self.journal.push(Event::Ticked { spent });
        let mut folded = self.folded();
        assert_eq!(folded.spent(), spent);
        assert_eq!(folded.remaining(), self.ledger.remaining());
        let mut living = self.ledger.clone();
        assert_eq!(folded.warnings(), living.warnings());
        assert_eq!(folded.reserve(TrialId::MAX).unwrap(), living.reserve(TrialId::MAX).unwrap());
        let history = RunHistory::of(&self.journal);
        assert_eq!(history.tally.spent(), spent);
        assert_eq!(history.open.len(), self.running.len());
        assert!(self.clock.now() >= Duration::ZERO);
    }
}

fn ended(attempt: Attempt, usage: Usage) -> Event {
    let Event::Ended { result, .. } = crate::journal::samples::ended(0, 0, 0.0) else {
        unreachable!("`ended` makes an end")
    };
    let Attempt { trial, number, .. } = attempt;
    Event::Ended { trial, attempt: number, result, usage, curve: Vec::new() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_limit_is_ever_passed_and_the_journal_gives_the_same_ledger(
        budget in any_budget(),
        (workers, threads, uses_gpu) in (1..6_usize, 1..4_usize, any::<bool>()),
        (look_ms, start_seconds) in (0..400_u64, 0.0..2.0),
        steps in prop::collection::vec(any_step(), 0..60),
    ) {
        let workforce = Workforce { workers, threads, uses_gpu };
        let margin = KillMargin::for_polling(Duration::from_millis(look_ms), threads);
        let mut run = Run::new(budget, workforce, KillMargin { start_seconds, ..margin });
        for step in steps {
            run.step(step);
            run.check();
        }
    }

    #[test]
    fn a_search_that_goes_on_ends_with_a_budget_spent(
        budget in any_budget(),
        (workers, threads, uses_gpu) in (1..6_usize, 1..4_usize, any::<bool>()),
        share in 0.01..=1.0,
    ) {
        let budget = Budget { cpu_seconds: Some(50.0), ..budget };
        let workforce = Workforce { workers, threads, uses_gpu };
        let margin = KillMargin::for_polling(Duration::from_millis(50), threads);
        let mut run = Run::new(budget, workforce, margin);
        for _ in 0..5000 {
            (0..workers).for_each(|_| run.dispatch());
            if run.running.is_empty() {
                break;
            }
            run.end(0, share, 0.2);
            run.journal.clear();
        }
        prop_assert!(run.running.is_empty(), "it never ends");
        prop_assert!(run.ledger.is_spent());
    }
}
