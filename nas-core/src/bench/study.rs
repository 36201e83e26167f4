//! Many searches, on all processors.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::objective::Objective;

use super::answers::{Answers, Oracle};
use super::seed_run::{Found, SeedRun};
use super::statistics::{Quantiles, Spread};
use super::stopwatch::Stopwatch;
use super::tradeoffs::Tradeoffs;
use super::{BenchError, Plan, Unit};
use crate::budget::{Clock, RealClock};
use crate::plugin::Registry;
use crate::search::begun_warm;

/// Times at which regret is noted.
const POINTS: usize = 200;

/// What all searches of a plan found.
#[derive(Clone, Debug)]
pub struct Study {
    /// What time is counted in.
    pub unit: Unit,
    /// The searches, in the order of their seeds.
    pub found: Vec<Found>,
    /// What each search might spend.
    pub budget: f64,
    /// Times at which regret is known, rising up to the budget.
    pub grid: Vec<f64>,
    /// What the searches saw.
    pub objectives: Vec<Objective>,
    /// The best trade-offs of the table, where there are several objectives.
    pub tradeoffs: Option<Tradeoffs>,
    /// By search and time, what its answer so far is worth.
    verdicts: Vec<f32>,
    /// The best verdict of all genotypes; with several objectives the whole hypervolume, 1.
    pub best_verdict: f64,
    /// The best signal of all genotypes.
    pub best_signal: f64,
    /// What the strategy took for an answer in the first search, the tell before it included: the
    /// mean of the first and of the last tenth of its answers, in seconds.
    pub ask_seconds: [f64; 2],
    /// How long it took, in seconds, the table being read already.
    pub wall_seconds: f64,
    /// Searches at once.
    pub threads: usize,
}

/// Runs all searches of a plan. Results do not depend on the number of threads.
///
/// # Errors
/// The first search that can't go on.
pub fn run(plan: &Plan, oracle: &Oracle, registry: &Registry) -> Result<Study, BenchError> {
    let answers = oracle.answers(&plan.fidelity)?;
    let counts_seconds = answers.has_seconds() && plan.budget.is_finite();
    let unit = if counts_seconds { Unit::Seconds } else { Unit::Evaluations };
    let budget = match (unit, plan.max_evaluations) {
        (Unit::Evaluations, Some(most)) => plan.budget.min(most as f64),
        _ => plan.budget,
    };
    if !budget.is_finite() {
        return Err(BenchError::NoLimit);
    }
    let grid: Vec<f64> = (1..=POINTS).map(|point| budget * point as f64 / POINTS as f64).collect();
    let threads = plan.threads.clamp(1, plan.seeds.max(1) as usize);
    let shared = Shared {
        plan,
        oracle,
        registry,
        answers: &answers,
        unit,
        grid: &grid,
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
    };
    let clock = RealClock::new();
    let parts = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| shared.work())).collect();
        workers.into_iter().map(join).collect::<Result<Vec<_>, _>>()
    })?;
    let wall_seconds = clock.now().as_secs_f64();
    let mut all: Vec<Searched> = parts.into_iter().flatten().collect();
    all.sort_unstable_by_key(|searched| searched.found.seed.wrapping_sub(plan.first_seed));
    let ask_seconds = all.first().and_then(|first| first.ask_seconds).unwrap_or_default();
    let (found, verdicts): (Vec<Found>, Vec<Vec<f32>>) =
        all.into_iter().map(|searched| (searched.found, searched.verdicts)).unzip();
    Ok(Study {
        unit,
        budget,
        found,
        verdicts: verdicts.concat(),
        best_verdict: match answers.tradeoffs() {
            Some(_) => 1.0,
            None => answers.largest(|answer| answer.verdict),
        },
        objectives: oracle.objectives().to_vec(),
        tradeoffs: answers.tradeoffs().cloned(),
        best_signal: answers.largest(|answer| answer.signal),
        grid,
        ask_seconds,
        wall_seconds,
        threads,
    })
}

/// One search.
struct Searched {
    found: Found,
    verdicts: Vec<f32>,
    /// Of the first search.
    ask_seconds: Option<[f64; 2]>,
}

fn join<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    match worker.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// What the threads share.
struct Shared<'a> {
    plan: &'a Plan,
    oracle: &'a Oracle,
    registry: &'a Registry,
    answers: &'a Answers,
    unit: Unit,
    grid: &'a [f64],
    next: AtomicUsize,
    failed: AtomicBool,
}

impl Shared<'_> {
    /// Runs searches until none is left.
    fn work(&self) -> Result<Vec<Searched>, BenchError> {
        let mut results = Vec::new();
        while !self.failed.load(Ordering::Relaxed) {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.plan.seeds as usize {
                break;
            }
            let result = self.search(index);
            results.push(result.inspect_err(|_| self.failed.store(true, Ordering::Relaxed))?);
        }
        Ok(results)
    }

    fn search(&self, index: usize) -> Result<Searched, BenchError> {
        let Self { plan, oracle, .. } = self;
        let seed = plan.first_seed.wrapping_add(index as u64);
        let context = StrategyContext {
            space: oracle.space().clone(),
            seed,
            objectives: oracle.objectives().to_vec(),
            fidelity: plan.fidelity,
            proxies: oracle.proxies().to_vec(),
            untrained_share: oracle.untrained_share(self.answers)?,
        };
        let strategy = self.registry.strategy(&plan.strategy, &plan.config, &context)?;
        let mut strategy = begun_warm(plan.warm_start.as_ref(), &context, strategy)?;
        let mut verdicts = vec![f32::NAN; self.grid.len()];
        let run = SeedRun::new(oracle, plan, self.answers, self.unit, seed);
        if index > 0 {
            let found = run.run(strategy.as_mut(), self.grid, &mut verdicts)?;
            return Ok(Searched { found, verdicts, ask_seconds: None });
        }
        let mut timed = Stopwatch::new(strategy.as_mut());
        let found = run.run(&mut timed, self.grid, &mut verdicts)?;
        Ok(Searched { found, verdicts, ask_seconds: Some(timed.tenths()) })
    }
}

impl Study {
    /// The signals of the searches' answers.
    #[must_use]
    pub fn signal(&self) -> Spread {
        Spread::of(self.found.iter().map(|found| found.signal))
    }

    /// What the answers are worth: of one objective the verdict, of several the share of the
    /// hypervolume.
    #[must_use]
    pub fn verdict(&self) -> Spread {
        Spread::of(self.found.iter().map(|found| found.verdict))
    }

    /// How much less the best network known at a point of the grid is worth than the best of all;
    /// absent before any search has one.
    #[must_use]
    pub fn regret(&self, point: usize) -> Option<Quantiles> {
        let n = self.grid.len();
        let verdicts = (0..self.found.len()).map(|seed| self.verdicts[seed * n + point]);
        // The verdicts are kept in single precision: their errors must not look like less than none.
        let regret = |verdict: f32| (self.best_verdict - f64::from(verdict)).max(0.0);
        Quantiles::of(verdicts.filter(|verdict| !verdict.is_nan()).map(regret).collect())
    }

    /// Evaluations of all searches.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.found.iter().map(|found| found.evaluations).sum()
    }

    /// Evaluations a second on each processor, the strategies' making included.
    #[must_use]
    pub fn evaluations_per_second(&self) -> f64 {
        self.evaluations() as f64 / self.wall_seconds / self.threads as f64
    }
}
