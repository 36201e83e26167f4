//! What cheap beginnings save: processor seconds until `asha` and `bohb` have the validation accuracy
//! that regularised evolution ends with, on Fashion-MNIST in the space `nb201`.
//!
//! It trains for about a quarter of an hour on one processor, so it runs only if asked for by name.

use std::path::{Path, PathBuf};
use std::process::Command;

use nas_core::journal::{Event, Journal};

use crate::estimate::Estimate;
use crate::parts::programs;
use crate::table::{Goal, Table};

/// Where Debian's package `dataset-fashion-mnist` puts the images.
const DATA: &str = "/usr/share/datasets/fashion-mnist";
const SEEDS: u64 = 5;
/// What each search may spend, in processor seconds.
const CPU_SECONDS: f64 = 60.0;
const EVOLUTION: &str = r#"{ name = "regularized-evolution", population = 8, sample_size = 3 }"#;
const STRATEGIES: [(&str, &str); 2] =
    [("asha", r#"{ name = "asha" }"#), ("bohb", r#"{ name = "bohb" }"#)];

pub(crate) fn run(table: &mut Table) {
    let data = std::env::var_os("NAS_FASHION_MNIST").map_or(PathBuf::from(DATA), PathBuf::from);
    if !data.is_dir() {
        let what = "is no folder (NAS_FASHION_MNIST names the one with the four IDX files)";
        table.note(&format!("SKIPPED: {} {what}", data.display()));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for runs");
    let search = |name: &str, strategy: &str, seed: u64| {
        best_over_time(
            folder.path(),
            &format!("{name}-{seed}"),
            &configuration(&data, strategy, seed),
        )
    };
    let mut shares = vec![Vec::new(); STRATEGIES.len()];
    for seed in 0..SEEDS {
        let evolution = search("evolution", EVOLUTION, seed);
        let (_, goal) = *evolution.last().expect("a network was trained");
        // Evolution is charged until it is done, not until it happens to find its best.
        for ((name, strategy), shares) in STRATEGIES.iter().zip(&mut shares) {
            let found = search(name, strategy, seed);
            let reached = found.iter().find(|(_, accuracy)| *accuracy >= goal);
            let seconds = reached.map_or(f64::INFINITY, |(seconds, _)| *seconds);
            table.note(&format!("  seed {seed}: evolution {goal:.4}, {name} after {seconds:.1} s"));
            shares.push(seconds / CPU_SECONDS);
        }
    }
    for ((name, _), shares) in STRATEGIES.iter().zip(shares) {
        let what = format!("{name} to evolution's accuracy, share of its CPU-seconds");
        table.line(&what, Estimate::of(shares), Goal::Below(0.5));
    }
}

fn configuration(data: &Path, strategy: &str, seed: u64) -> String {
    let path = data.display();
    format!(
        "seed = {seed}\noperations.name = \"nb201\"\n\
         space = {{ name = \"nb201\", channels = 4, cells = 1 }}\nstrategy = {strategy}\n\
         fitness.name = \"accuracy\"\n\
         data = {{ format = \"idx\", path = \"{path}\", limit = 4000 }}\n\
         training = {{ epochs = 9, batch_size = 64, learning_rate = 0.1 }}\n\
         budget.cpu_seconds = {CPU_SECONDS}\nexecution = {{ workers = 1, deterministic = true }}\n"
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
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
