//! Several objectives at once, in searches and in `nas bench`.

use std::path::PathBuf;

use serde_json::Value;

use crate::benchmark::cells;
use crate::support::{Sandbox, repository, text};

const SEARCH: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "nsga2", population = 20 }
fitness = { name = "objectives", minimize = ["phone_latency_ms", "parameters"] }
benchmark = { name = "nb201", file = "cells.csv", hardware = "devices.csv" }
training.epochs = 12
budget.trials = 300
execution = { workers = 2, deterministic = true }
"#;

/// 1 ms, and 1 more for each 3×3 convolution; not supported where the first edge is a pool.
fn devices() -> String {
    let row = |place: usize| {
        let ops: String =
            (0..6).rev().map(|digit| (place / 5_usize.pow(digit) % 5).to_string()).collect();
        let latency = match ops.starts_with('4') {
            true => "-1".to_owned(),
            false => (1 + ops.matches('3').count()).to_string(),
        };
        format!("{place},{latency}\n")
    };
    "index,c10_phone_latency_ms\n".to_owned() + &(0..15_625).map(row).collect::<String>()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_real_worker();
    sandbox.configure(SEARCH);
    std::fs::write(sandbox.path("cells.csv"), cells()).unwrap();
    std::fs::write(sandbox.path("devices.csv"), devices()).unwrap();
    sandbox
}

#[test]
fn a_search_ends_with_a_front() {
    let sandbox = sandbox();
    let printed = text(&sandbox.search(&[]));
    let expected = "trials that no other one beats in every objective";
    assert!(printed.contains(expected), "{printed}");
    let shown = sandbox.run(&["show", "last", "--json"]);
    let run: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let front: Vec<u64> = serde_json::from_value(run["front"].clone()).unwrap();
    let objectives = |trial: u64| -> Vec<f64> {
        let trials = run["trials"].as_array().unwrap();
        let found = trials.iter().find(|other| other["trial"] == trial).unwrap();
        serde_json::from_value(found["result"]["objectives"].clone()).unwrap()
    };
    let points: Vec<Vec<f64>> = front.into_iter().map(objectives).collect();
    assert!(points.len() > 3, "{points:?}");
    for one in &points {
        let beats = |other: &Vec<f64>| other[0] > one[0] && other[1] < one[1] && other[2] < one[2];
        assert!(!points.iter().any(beats), "{points:?}");
    }
    // What the device does not support has no result, and says why.
    let unsupported = run["trials"]
        .as_array()
        .unwrap()
        .iter()
        .find(|trial| trial["text"].as_str().unwrap().contains("edge_0_1=avg_pool_3x3"));
    let reason = unsupported.unwrap()["result"]["reason"].as_str().unwrap();
    assert!(reason.contains("`phone_latency_ms`, which was not measured"), "{reason}");
}

#[test]
fn a_limit_keeps_the_best_feasible() {
    let sandbox = sandbox();
    let limit = "fitness.limits={phone_latency_ms=3.0}";
    sandbox.search(&["--set", limit]);
    let shown = sandbox.run(&["show", "last", "--json"]);
    let run: Value = serde_json::from_slice(&shown.stdout).unwrap();
    // Two convolutions of 3×3: 50 % in 3 ms.
    let best: Vec<f64> =
        serde_json::from_value(run["best"]["result"]["objectives"].clone()).unwrap();
    assert_eq!(best[..2], [0.5, 3.0]);
}

#[test]
fn objectives_that_nothing_delivers_are_refused_before_anything_runs() {
    let sandbox = sandbox();
    let refused = |sets: &[&str], expected: &str| {
        let output = sandbox.run(&[&["check", "search.toml"], sets].concat());
        let printed = text(&output);
        assert!(output.status.code() == Some(2) && printed.contains(expected), "{printed}");
    };
    refused(
        &["--set", "fitness.minimize=[\"tablet_latency_ms\"]"],
        "it needs the measurement `tablet_latency_ms`, which no trial has",
    );
    refused(&["--set", "fitness.limits={depth=3.0}"], "limit `depth`, which is no objective");
    let arguments = ["bench", "nsga2", "--table", "cells.csv", "--evaluations", "10"];
    let output = sandbox.run(&[&arguments[..], &["--minimize", "tablet_latency_ms"]].concat());
    let printed = text(&output);
    assert!(printed.contains("delivers no `tablet_latency_ms` (it has"), "{printed}");
    let output = sandbox.run(&[&arguments[..], &["--limit", "other=3"]].concat());
    let printed = text(&output);
    assert!(printed.contains("`--limit other=3`: objectives are validation_accuracy"), "{printed}");
}

/// The line of JSON of a strategy for accuracy and latency of a device.
fn bench(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let output = sandbox.run(&[&["bench"], arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_page_has_hypervolume_and_a_front() {
    let sandbox = sandbox();
    let arguments = ["nsga2", "--table", "cells.csv", "--evaluations", "300", "--seeds", "10"];
    let more = ["--set", "benchmark.hardware=devices.csv", "--minimize", "phone_latency_ms"];
    let line = bench(&sandbox, &[&arguments[..], &more].concat());
    // 0 to 6 convolutions of 3×3: 30 % in 1 ms to 90 % in 7 ms.
    assert_eq!(line["front_of_the_table"], 7);
    assert!(line["hypervolume_share"]["median"].as_f64().unwrap() > 0.999, "{line}");
    let output = sandbox.run(&[&["bench"], &arguments[..], &more].concat());
    let printed = text(&output);
    for part in ["hypervolume, %", "Hypervolume that is missing", "Front of the first search"] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
}

/// Latencies of HW-NAS-Bench on CIFAR-10.
const DEVICES: [&str; 6] = ["edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga"];

#[test]
fn nsga2_comes_within_one_percent_on_every_device_and_is_ahead_of_chance() {
    let beside = repository().join("../shared/data");
    let folder = std::env::var_os("NAS_DATA").map_or(beside, PathBuf::from);
    let (table, hardware) = (folder.join("nb201.csv.gz"), folder.join("hw_nas_bench_nb201.csv.gz"));
    if !table.exists() || !hardware.exists() {
        println!("SKIPPED: {} or {} does not exist", table.display(), hardware.display());
        return;
    }
    let sandbox = Sandbox::with_real_worker();
    for device in DEVICES {
        let median = |strategy: &str, evaluations: &str| {
            let line = bench(
                &sandbox,
                &[
                    strategy,
                    "--table",
                    table.to_str().unwrap(),
                    "--set",
                    &format!("benchmark.hardware={}", hardware.display()),
                    "--minimize",
                    &format!("{device}_latency_ms"),
                    "--evaluations",
                    evaluations,
                    "--seeds",
                    "100",
                ],
            );
            line["hypervolume_share"]["median"].as_f64().unwrap()
        };
        let (soon, late, chance) =
            (median("nsga2", "500"), median("nsga2", "1000"), median("random", "1000"));
        println!("{device}: {soon:.4} after 500, {late:.4} after 1000, random {chance:.4}");
        assert!(soon >= 0.99, "{device}: {soon}");
        assert!(late > chance, "{device}: {late} {chance}");
    }
}
