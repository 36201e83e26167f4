//! What cheap beginnings save: processor seconds until `asha` and `bohb` have the validation accuracy
//! that regularised evolution ends with, on Fashion-MNIST in the space `nb201`.
//!
//! A whole training has 9 epochs of 12,000 images, 3,375 steps, and is measured on 5,000; it takes 9
//! to 27 processor seconds. All of it takes about 25 minutes on two processors, so it runs only if
//! asked for by name.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use nas_core::journal::{Event, Journal};

use crate::estimate::Estimate;
use crate::parts::programs;
use crate::table::{Goal, Table};

/// Where Debian's package `dataset-fashion-mnist` puts the images.
const DATA: &str = "/usr/share/datasets/fashion-mnist";
/// Others than the seeds 0 to 4, on which the settings below were chosen.
const SEEDS: Range<u64> = 5..10;
/// What evolution may spend, in processor seconds.
const CPU_SECONDS: f64 = 300.0;
/// Share of it within which the others have to be as good; they get no more.
const SHARE: f64 = 0.5;
/// Seeds at once.
const AT_ONCE: usize = 2;
/// With NATS-Bench's settings.
const EVOLUTION: &str = r#"{ name = "regularized-evolution", population = 10, sample_size = 3 }"#;
/// With mutants, and with an early model whose kernels are narrower and which waits for no bracket:
/// no defaults, since they are not as published.
const STRATEGIES: [(&str, &str); 2] = [
    ("asha", r#"{ name = "asha", mutation_share = 0.67 }"#),
    (
        "bohb",
        r#"{ name = "bohb", asynchronous = true, spread = 0.5, min_points = 4, random_share = 0.1 }"#,
    ),
];

pub(crate) fn run(table: &mut Table) {
    let data = std::env::var_os("NAS_FASHION_MNIST").map_or(PathBuf::from(DATA), PathBuf::from);
    if !data.is_dir() {
        let what = "is no folder (NAS_FASHION_MNIST names the one with the four IDX files)";
        table.note(&format!("SKIPPED: {} {what}", data.display()));
        return;
    }
    // Each seed has one processor, all of its searches one after the other.
    let next = AtomicU64::new(SEEDS.start);
    let seeds = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS.end {
                        break;
                    }
                    let found = compare(&data, seed);
                    seeds.lock().expect("no seed failed").insert(seed, found);
                }
            });
        }
    });
    let seeds = seeds.into_inner().expect("no seed failed");
    for (seed, Compared { goal, cpu_seconds, reached }) in &seeds {
        let each = STRATEGIES.iter().zip(reached);
        let each = each.map(|((name, _), seconds)| format!(", {name} {seconds:.0} s"));
        let each: String = each.collect();
        table.note(&format!("  seed {seed}: {goal:.4}, evolution {cpu_seconds:.0} s{each}"));
    }
    for (place, (name, _)) in STRATEGIES.iter().enumerate() {
        let share = |one: &Compared| one.reached[place] / one.cpu_seconds;
        let what = format!("{name} to evolution's accuracy, share of its CPU-seconds");
        table.line(&what, Estimate::of(seeds.values().map(share).collect()), Goal::Below(SHARE));
    }
}

/// What one seed showed.
struct Compared {
    /// The validation accuracy that evolution ends with.
    goal: f64,
    /// What evolution took, which is charged until it is done and not until it finds its best.
    cpu_seconds: f64,
    /// By strategy, CPU seconds until it is as good; infinite where it was not within its budget.
    reached: Vec<f64>,
}

fn compare(data: &Path, seed: u64) -> Compared {
    let folder = tempfile::tempdir().expect("a folder for runs");
    let search = |name: &str, strategy: &str, goal: Option<f64>| {
        let configuration = configuration(data, strategy, seed, goal);
        best_over_time(folder.path(), name, &configuration)
    };
    let evolution = search("evolution", EVOLUTION, None);
    let (cpu_seconds, goal) = *evolution.last().expect("a network was trained");
    let reached = STRATEGIES.iter().map(|(name, strategy)| {
        let found = search(name, strategy, Some(goal));
        let first = found.iter().find(|(_, accuracy)| *accuracy >= goal);
        first.map_or(f64::INFINITY, |(seconds, _)| *seconds)
    });
    Compared { goal, cpu_seconds, reached: reached.collect() }
}

/// A search; where there is a `goal`, with its share of the budget, and a policy that ends it where it
/// is as good.
fn configuration(data: &Path, strategy: &str, seed: u64, goal: Option<f64>) -> String {
    let path = data.display();
    let cpu_seconds = if goal.is_some() { SHARE * CPU_SECONDS } else { CPU_SECONDS };
    let enough = goal.map_or(String::new(), |goal| {
        format!(
            "[[policy]]\nname = \"rules\"\n[[policy.conditions]]\ncode = \"as_good\"\n\
             on = \"progress\"\nwhen = \"best_so_far >= {goal:?}\"\naction = \"halt\"\n\
             reason = \"it is as good as evolution\"\n"
        )
    });
    format!(
        "seed = {seed}\noperations.name = \"nb201\"\n\
         space = {{ name = \"nb201\", channels = 4, cells = 1 }}\nstrategy = {strategy}\n\
         fitness.name = \"accuracy\"\n\
         training = {{ epochs = 9, batch_size = 32, learning_rate = 0.05, \
         schedule = \"restarts\" }}\n\
         budget.cpu_seconds = {cpu_seconds}\nexecution = {{ workers = 1, deterministic = true }}\n\
         [data]\nformat = \"idx\"\npath = \"{path}\"\nlimit = 17000\n\
         validation_fraction = 0.29412\n{enough}"
    )
}

/// Processor seconds of trials, and the best validation accuracy that there was after them.
fn best_over_time(folder: &Path, name: &str, configuration: &str) -> Vec<(f64, f64)> {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).expect("a folder for a search");
    std::fs::write(folder.join("search.toml"), configuration).expect("a file");
    let output = Command::new(programs().join("nas"))
        .args(["search", "search.toml"])
        .current_dir(&folder)
        .env("XDG_CACHE_HOME", programs().join("bench-cache"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .output()
        .expect("run `make build` first");
    // 6 is a policy that halted it.
    let ended = matches!(output.status.code(), Some(0 | 6));
    assert!(ended, "{}", String::from_utf8_lossy(&output.stderr));
    let mut runs = std::fs::read_dir(folder.join("runs")).expect("a run");
    let run = runs.next().and_then(Result::ok).expect("a run").path();
    let journal = Journal::read_only(&run).expect("a journal");
    let (mut spent, mut best) = (0.0, 0.0_f64);
    let mut curve = Vec::new();
    for recorded in journal.events() {
        if let Event::Ended { result, usage, .. } = recorded.expect("a sound journal").event {
            spent += usage.cpu_seconds;
            best = best.max(result.objectives.first().copied().unwrap_or(0.0));
            curve.push((spent, best));
        }
    }
    curve
}
