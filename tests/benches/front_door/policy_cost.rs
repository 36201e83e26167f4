//! What policies cost: all that come with `nas`, asked about every candidate, result and unit of
//! progress of a search, against what one step of training takes.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use nas_core::executor::{InstantExecutor, Job};
use nas_core::journal::{Event, Journal, MemoryLog};
use nas_core::launch::RunFolder;
use nas_core::plugin::Registry;
use nas_core::search::{NoTraining, Silent};
use nas_core::settings::Settings;
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::measurement::{Measurements, names};
use serde_json::{Value, json};

use crate::estimate::Estimate;
use crate::parts::{Plan, folder, programs, registry, repository, search};
use crate::table::{Goal, Table};

const RUNS: usize = 9;
const TRIALS: u64 = 3_000;
const IN_FLIGHT: usize = 8;
/// Trials that are trained in earnest, for comparison.
const TRAINED: usize = 7;

pub(crate) fn run(table: &mut Table) {
    let registry = Arc::new(registry());
    let (policies, names) = all_policies(&registry);
    let costs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let without = seconds_a_trial(&registry, &[]);
            (seconds_a_trial(&registry, &policies) - without).max(0.0) * 1e3
        })
        .collect();
    let cost = Estimate::of(costs);
    table.note(&format!("  {names}"));
    table.line("policies, ms a candidate", cost, Goal::Below(1.0));
    let (step_ms, steps) = training_step();
    table.line("a training step of examples/digits.toml, ms", step_ms, Goal::None);
    let share = |cost: f64| 100.0 * cost / (steps * step_ms.median);
    let share =
        Estimate { median: share(cost.median), low: share(cost.low), high: share(cost.high) };
    let what = format!("policies, % of each of a trial's {steps:.0} training steps");
    table.line(&what, share, Goal::Below(0.1));
}

/// Every policy that is built, with settings by which none of them ends this search, and ten
/// conditions for `rules`.
fn all_policies(registry: &Registry) -> (Vec<Value>, String) {
    let known =
        registry.components().iter().filter(|known| known.info.kind == ComponentKind::Policy);
    let names: Vec<&str> = known.map(|known| known.info.name.as_str()).collect();
    let conditions: Vec<Value> = (0..10)
        .map(|index| {
            json!({
                "code": format!("condition_{index}"),
                "on": if index % 2 == 0 { "candidate" } else { "review" },
                "when": format!("cost.parameters > 1e12 && cost.depth < {index} || trial < 0"),
                "action": "reject",
            })
        })
        .collect();
    let policy = |name: &&str| match *name {
        "rules" => json!({ "name": name, "conditions": conditions }),
        "convergence" => json!({ "name": name, "threshold": 1.0 }),
        name => json!({ "name": name }),
    };
    (names.iter().map(policy).collect(), names.join(", "))
}

fn seconds_a_trial(registry: &Arc<Registry>, policies: &[Value]) -> f64 {
    let executor = Box::new(InstantExecutor::measuring(IN_FLIGHT, measure));
    let work = Box::new(NoTraining);
    let plan = Plan { strategy: "random", policies, trials: TRIALS, executor, work };
    let (mut log, mut observer) = (MemoryLog::default(), Silent);
    let search = search(registry, plan, &mut log, &mut observer);
    let clock = Instant::now();
    let summary = search.run().expect("nothing ends the search before its budget does");
    let seconds = clock.elapsed().as_secs_f64();
    assert_eq!(summary.spent.trials, TRIALS, "{}", summary.reason);
    seconds / TRIALS as f64
}

/// A score that depends on the genotype, and is nothing that a policy halts on.
fn measure(job: &Job) -> Measurements {
    let sum: f64 = job.genotype.0.iter().map(|&digit| f64::from(digit)).sum();
    Measurements::from([(names::VALIDATION_ACCURACY, 0.5 + sum / 60.0)])
}

/// Milliseconds of a step as the example trains it, and how many steps a trial has.
fn training_step() -> (Estimate, f64) {
    let runs = folder();
    let output = Command::new(programs().join("nas"))
        .current_dir(repository())
        .args(["search", "examples/digits.toml", "--set", "execution.workers=1", "--set"])
        .arg(format!("budget.trials={TRAINED}"))
        .env("NAS_RUNS", runs.path())
        .arg("--set")
        .arg(format!("execution.runs={}", runs.path().display()))
        .env("NAS_ANCHOR", "")
        .output()
        .expect("run `make build` first");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = RunFolder::open("last", runs.path()).expect("it left a run");
    let journal = Journal::read_only(run.path()).expect("it has a journal");
    let events = journal.events().map(|recorded| recorded.expect("a sound journal").event);
    let (mut steps, mut seconds) = (0.0, Vec::new());
    for event in events {
        match event {
            Event::Started(start) => {
                let settings: Settings =
                    serde_json::from_value(start.settings).expect("its settings");
                let images = start.data.map_or(0, |data| data.train.images) as f64;
                let batches = (images / settings.training.recipe.batch_size as f64).floor();
                steps = f64::from(settings.training.epochs) * batches;
            }
            Event::Ended { result, .. } => {
                seconds.extend(result.measurements.get(names::TRAIN_SECONDS));
            }
            _ => {}
        }
    }
    (Estimate::of(seconds.into_iter().map(|all| all * 1e3 / steps).collect()), steps)
}
