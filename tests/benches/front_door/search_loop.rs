//! The whole loop with an evaluator that answers at once: strategy, fitness and policy from its
//! libraries, gate, ledger, journal, tell.
//!
//! "A second a core" is by processor time of all threads, which are kept on one processor: a search
//! and its plugins take turns, so that a second processor only adds the cost of waking it up. What
//! that makes of it where threads may move is stated beside, and the clock's time.

use std::sync::Arc;
use std::time::Instant;

use nas_core::budget::RealClock;
use nas_core::executor::{InstantExecutor, Job};
use nas_core::journal::{EventLog, Journal, MemoryLog};
use nas_core::plugin::Registry;
use nas_core::search::{NoTraining, Silent};
use nas_plugin_api::component::{ComponentKind, StrategyContext};
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::objective::Objective;
use nas_plugin_api::trial::Fidelity;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use serde_json::{Value, json};

use crate::estimate::Estimate;
use crate::parts::{Plan, defaults, folder, isolating_registry, registry, search, space};
use crate::table::{Goal, Table};

const RUNS: usize = 9;
/// Most of the space's 6,147 networks: it takes about 9,600 proposals to find so many, since the
/// strategy knows which genotypes it proposed and not which are the same network. Duplicates pass
/// the gate and the policies like any other proposal, but are not counted here.
const TRIALS: u64 = 5_000;
const IN_FLIGHT: usize = 64;

pub(crate) fn run(table: &mut Table) {
    let registry = Arc::new(registry());
    let limits = &[json!({ "name": "limits" })][..];
    let [memory, durable] = [Goal::AtLeast(50_000.0), Goal::AtLeast(5_000.0)];
    for (journal, policies, goal) in [
        (JournalKind::Memory, limits, memory),
        (JournalKind::Memory, &[], Goal::None),
        (JournalKind::Durable, limits, durable),
        (JournalKind::Durable, &[], Goal::None),
    ] {
        let measure = |_| evaluations_a_second(&registry, policies, journal);
        let all = stay_on(&[]);
        let on_one: Vec<[f64; 2]> = (0..RUNS).map(measure).collect();
        stay_on(&all);
        let free: Vec<[f64; 2]> = (0..RUNS).map(measure).collect();
        let rate = |rates: &[[f64; 2]], which: usize| {
            Estimate::of(rates.iter().map(|rates| rates[which]).collect())
        };
        let what = format!("{}, {} policy", journal.words(), policies.len());
        table.line(&format!("{what}: evaluations a second a core"), rate(&on_one, 0), goal);
        table.line("  the same by the clock", rate(&on_one, 1), Goal::None);
        table.line("  a second a core where threads may move", rate(&free, 0), Goal::None);
        table.line("  the same by the clock", rate(&free, 1), Goal::None);
    }
    isolated(table);
}

/// What it costs that no plugin is trusted. Their processes' time is not this one's, so by the clock.
fn isolated(table: &mut Table) {
    let registry = Arc::new(isolating_registry());
    let limits = &[json!({ "name": "limits" })][..];
    for (what, policies) in [("1 policy", limits), ("0 policies", &[])] {
        let measure = |_| evaluations_a_second(&registry, policies, JournalKind::Memory)[1];
        let what = format!("in memory, {what}, all plugins isolated: by the clock");
        table.line(&what, Estimate::of((0..RUNS).map(measure).collect()), Goal::None);
    }
    let round_trips = (0..RUNS).map(|_| round_trip_micros(&registry)).collect();
    table.line("  one call there and back, microseconds", Estimate::of(round_trips), Goal::None);
}

/// A call of an isolated strategy in which next to nothing is done.
fn round_trip_micros(registry: &Registry) -> f64 {
    const CALLS: u32 = 5_000;
    let context = StrategyContext {
        space: space(registry).space().clone(),
        seed: 0,
        objectives: vec![Objective::maximize(names::VALIDATION_ACCURACY)],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let config = defaults(registry, ComponentKind::Strategy, "random");
    let mut strategy = registry.strategy("random", &config, &context).expect("a strategy");
    let clock = Instant::now();
    for _ in 0..CALLS {
        strategy.tell(&[]).expect("it answers");
    }
    clock.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

/// Keeps this thread, and all that it starts from here, on these processors, or on the one where
/// it is if there are none; returns those that were allowed before.
fn stay_on(processors: &[usize]) -> Vec<usize> {
    let before = sched_getaffinity(None).expect("a thread may ask for its processors");
    let mut allowed = CpuSet::new();
    match processors.is_empty() {
        true => allowed.set(sched_getcpu()),
        false => processors.iter().for_each(|&processor| allowed.set(processor)),
    }
    sched_setaffinity(None, &allowed).expect("these processors were allowed");
    (0..CpuSet::MAX_CPU).filter(|&processor| before.is_set(processor)).collect()
}

#[derive(Clone, Copy)]
enum JournalKind {
    Memory,
    Durable,
}

impl JournalKind {
    fn words(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Durable => "durable journal",
        }
    }
}

/// By processor time, and by the clock.
fn evaluations_a_second(
    registry: &Arc<Registry>,
    policies: &[Value],
    journal: JournalKind,
) -> [f64; 2] {
    let (strategy, trials) = ("random", TRIALS);
    let folder = folder();
    let mut log: Box<dyn EventLog> = match journal {
        JournalKind::Memory => Box::new(MemoryLog::default()),
        JournalKind::Durable => Box::new(
            Journal::create(folder.path(), Arc::new(RealClock::new())).expect("a new folder"),
        ),
    };
    let executor = Box::new(InstantExecutor::measuring(IN_FLIGHT, measure));
    let plan = Plan { strategy, policies, trials, executor, work: Box::new(NoTraining) };
    let mut observer = Silent;
    let search = search(registry, plan, &mut log, &mut observer);
    let (cpu, clock) = (cpu_seconds(), Instant::now());
    let summary = search.run().expect("nothing ends the search before its budget does");
    let seconds = [cpu_seconds() - cpu, clock.elapsed().as_secs_f64()];
    assert_eq!(summary.spent.trials, trials);
    seconds.map(|seconds| trials as f64 / seconds)
}

/// A score that depends on the genotype.
fn measure(job: &Job) -> Measurements {
    let accuracy = job.genotype.0.iter().map(|&digit| f64::from(digit)).sum::<f64>() / 24.0;
    let mut measurements = Measurements::default();
    measurements.set(names::VALIDATION_ACCURACY, accuracy);
    measurements
}

/// Processor seconds of this process, all threads.
fn cpu_seconds() -> f64 {
    let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    usage.tv_sec as f64 + usage.tv_nsec as f64 * 1e-9
}
