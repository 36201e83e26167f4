//! Strategies on real training: the validation accuracy that each reaches on Fashion-MNIST in the same
//! wall time, two workers of one thread.
//!
//! A trial trains a reduced network of NAS-Bench-201 (8 channels, one cell a stage) for three epochs of
//! 2,700 images, 252 steps, and is measured on 6,000. The seeds take turns, so that a machine that slows
//! down slows all strategies down. All of it takes 11 minutes.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::parts::{folder, programs};
use crate::table::Table;

const SEEDS: u64 = 5;
const SECONDS: f64 = 44.0;
const STRATEGIES: [(&str, &str); 3] = [
    ("portfolio", ""),
    ("regularized-evolution", ", population = 10, sample_size = 3"),
    ("random", ""),
];
/// Where Debian's package `dataset-fashion-mnist` puts it.
const IMAGES: &str = "/usr/share/datasets/fashion-mnist";

/// What a search found.
struct Found {
    validation: f64,
    holdout: f64,
    trained: f64,
}

pub(crate) fn run(table: &mut Table) {
    if !Path::new(IMAGES).exists() {
        table.note(&format!("  SKIPPED: {IMAGES} does not exist (Debian: dataset-fashion-mnist)"));
        return;
    }
    let mut found: Vec<Vec<Found>> = STRATEGIES.iter().map(|_| Vec::new()).collect();
    for seed in 0..SEEDS {
        for ((name, settings), found) in STRATEGIES.iter().zip(&mut found) {
            found.push(search(name, settings, seed));
        }
    }
    table.note(&format!("  {SEEDS} seeds, {SECONDS} s each; mean ± standard deviation"));
    for ((name, _), found) in STRATEGIES.iter().zip(&found) {
        let spread = |part: fn(&Found) -> f64| {
            let values: Vec<f64> = found.iter().map(part).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (mean, (squares / (n - 1.0)).sqrt())
        };
        let percent = |(mean, deviation): (f64, f64)| {
            format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation)
        };
        let (validation, holdout) = (spread(|one| one.validation), spread(|one| one.holdout));
        let (trained, _) = spread(|one| one.trained);
        let (validation, holdout) = (percent(validation), percent(holdout));
        table.note(&format!(
            "  {name:<24} validation {validation}, holdout {holdout}, {trained:.0} networks trained"
        ));
    }
}

fn search(strategy: &str, settings: &str, seed: u64) -> Found {
    let folder = folder();
    let configuration = format!(
        r#"
        seed = {seed}
        operations.name = "nb201"
        space = {{ name = "nb201", channels = 8, cells = 1 }}
        strategy = {{ name = "{strategy}"{settings} }}
        fitness.name = "accuracy"
        data = {{ format = "idx", path = "{IMAGES}", validation_fraction = 0.1 }}
        training = {{ epochs = 3, data_fraction = 0.05, batch_size = 32, learning_rate = 0.03 }}
        budget = {{ wall_seconds = {SECONDS:.1}, trial_seconds = 30.0 }}
        execution.workers = 2
        "#
    );
    let path = folder.path().join("search.toml");
    std::fs::write(&path, configuration).expect("the folder can be written");
    nas(folder.path(), &["search", "search.toml"]);
    let report = nas(folder.path(), &["show", "last", "--json"]);
    let report: Value = serde_json::from_slice(&report).expect("a report as JSON");
    let best = &report["best"];
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    Found {
        validation: number(&best["result"]["measurements"]["validation_accuracy"]),
        holdout: number(&best["holdout"]["holdout_accuracy"]),
        trained: number(&report["outcomes"]["finished"]),
    }
}

/// What the program writes to standard output.
fn nas(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(programs().join("nas"))
        .args(arguments)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .expect("run `make build` first");
    assert!(output.status.success(), "nas {arguments:?} failed");
    output.stdout
}
