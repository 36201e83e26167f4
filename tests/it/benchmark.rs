//! Searches on tables, and `nas bench`.

use std::path::PathBuf;

use nas_core::journal::Event;
use serde_json::Value;

use crate::support::{Sandbox, repository, text};

const SEARCH: &str = r#"
name = "table"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "regularized-evolution", population = 10, sample_size = 3 }
fitness.name = "accuracy"
benchmark = { name = "nb201", file = "cells.csv" }
training.epochs = 12
budget.cpu_seconds = 1000.0
execution = { workers = 2, deterministic = true }
"#;

/// All cells, on CIFAR-10 and CIFAR-100 alike: 90 % with six 3×3 convolutions, less with other
/// operations; a query on CIFAR-10 takes 27 s.
pub(crate) fn cells() -> String {
    let header = "index,ops,c10_valid_e12,c10_valid_e200,c10_test_e200,c100_valid_e12,\
                  c100_test_e200,c10_train_s_per_epoch,c10_valid_s_per_eval,c10_test_s_per_eval\n";
    let row = |place: usize| {
        let ops: String =
            (0..6).rev().map(|digit| (place / 5_usize.pow(digit) % 5).to_string()).collect();
        let seen = 30 + 10 * ops.matches('3').count();
        let test = seen + 2;
        format!("{place},{ops},{seen},{seen},{test},{seen},{test},2,3,1\n")
    };
    header.to_owned() + &(0..15_625).map(row).collect::<String>()
}

fn sandbox() -> Sandbox {
    // No worker is ever started.
    let sandbox = Sandbox::with_real_worker();
    sandbox.configure(SEARCH);
    std::fs::write(sandbox.path("cells.csv"), cells()).unwrap();
    sandbox
}

#[test]
fn a_search_on_a_table_is_charged_its_seconds_and_reads_the_test_accuracy_at_the_end() {
    let sandbox = sandbox();
    let output = sandbox.nas(&["search", "search.toml"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let events = sandbox.events();
    let ended: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Ended { usage, result, .. } => {
                assert_eq!(result.measurements.get("holdout_accuracy"), None);
                Some(usage.cpu_seconds)
            }
            _ => None,
        })
        .collect();
    assert!(ended.iter().all(|&seconds| seconds == 27.0));
    // Two at once: the last two may pass the budget.
    assert!((36..=39).contains(&ended.len()), "{}", ended.len());
    let audited = events.iter().find_map(|event| match event {
        Event::Audited { measurements, .. } => measurements.get("holdout_accuracy"),
        _ => None,
    });
    let best = events.iter().filter_map(|event| match event {
        Event::Ended { result, .. } => result.objectives.first().copied(),
        _ => None,
    });
    let best = best.fold(0.0, f64::max);
    assert!((audited.unwrap() - best - 0.02).abs() < 1e-9, "{audited:?} {best}");
}

#[track_caller]
fn check_refused(set: &str, expected: &[&str]) {
    let sandbox = sandbox();
    let output = sandbox.nas(&["check", "search.toml", "--set", set]).output().unwrap();
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(2), "{printed}");
    for part in expected {
        assert!(printed.contains(part), "{part} in {printed}");
    }
}

#[test]
fn what_the_table_can_not_answer_is_refused_before_anything_runs() {
    check_refused("training.epochs=50", &["look up 50 epochs", "has 12 or 200 epochs"]);
    check_refused("benchmark.dataset=imagenet16-120", &["column `in16_valid_e12` is missing"]);
    check_refused("benchmark.file=none.csv", &["none.csv"]);
    check_refused("space={name=\"layer-widths\"}", &["networks of space `layer-widths`"]);
    check_refused("data.format=digits", &["`[data]` or `[benchmark]`, not both"]);
    check_refused("strategy={name=\"darts\"}", &["trains a supernet"]);
}

/// What `nas bench` says, as JSON.
fn bench(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["bench"], arguments, &["--json"]].concat();
    let output = sandbox.nas(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn many_seeds_give_the_same_on_any_number_of_threads() {
    let sandbox = sandbox();
    let found = |threads: &str| {
        let common = ["regularized-evolution", "--table", "cells.csv", "--budget", "2000"];
        let mut found =
            bench(&sandbox, &[&common[..], &["--seeds", "30", "--threads", threads]].concat());
        let row = found.remove(0);
        ["evaluations", "validation", "test", "regret"].map(|key| row[key].clone())
    };
    let one = found("1");
    assert!(one == found("3"));
    // The query that crosses the budget counts: ⌈2000 / 27⌉.
    assert_eq!(one[0], 30 * 75);
    let (validation, test) = (one[1]["mean"].as_f64().unwrap(), one[2]["mean"].as_f64().unwrap());
    assert!((test - validation - 0.02).abs() < 1e-9 && validation > 0.65, "{validation} {test}");
}

#[test]
fn the_page_has_regret_published_rows_and_a_picture() {
    let sandbox = sandbox();
    let published = "benchmark,method,budget,verified,c10_valid,c10_test\n\
                     NB201,Best ever,a week,yes,91.6,94.4\nother,Elsewhere,-,no,1,2\n";
    std::fs::write(sandbox.path("published.csv"), published).unwrap();
    let arguments = ["bench", "local-search", "--table", "cells.csv", "--budget", "2000"];
    let more = ["--seeds", "5", "--reference", "published.csv", "--svg", "regret.svg"];
    let output = sandbox.nas(&[&arguments[..], &more].concat()).output().unwrap();
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    for part in ["Regret of test", "NB201 Best ever", "→ local-search", "a second and thread"] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert!(!printed.contains("Elsewhere"), "{printed}");
    let picture = std::fs::read_to_string(sandbox.path("regret.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
}

#[test]
fn a_strategy_that_uses_the_space_up_says_so() {
    let sandbox = sandbox();
    let arguments = ["bench", "random", "--table", "cells.csv", "--evaluations", "20000"];
    let output = sandbox.nas(&[&arguments[..], &["--seeds", "2"]].concat()).output().unwrap();
    let printed = text(&output);
    let expected = "ended before their budget was spent: the space is used up after";
    assert!(printed.contains(expected), "{printed}");
}

/// Means of test accuracy in percent that 500 seeds give on the published table, against the paper.
#[track_caller]
fn check_published(strategy: &[&str], expected: [f64; 3]) {
    let beside = repository().join("../shared/data");
    let table = std::env::var_os("NAS_DATA").map_or(beside, PathBuf::from).join("nb201.csv.gz");
    if !table.exists() {
        println!("SKIPPED: {} does not exist", table.display());
        return;
    }
    let sandbox = sandbox();
    let table = table.to_str().unwrap();
    let datasets = ["cifar10", "cifar100", "imagenet16-120"].map(|name| ["--dataset", name]);
    let budgets = ["20000", "40000", "120000"].map(|budget| ["--budget", budget]);
    let arguments = [strategy, &["--table", table], &datasets.concat(), &budgets.concat()].concat();
    let found = bench(&sandbox, &arguments);
    for ((row, expected), allowed) in found.iter().zip(expected).zip([0.1, 0.3, 0.3]) {
        let mean = 100.0 * row["test"]["mean"].as_f64().unwrap();
        assert!((mean - expected).abs() <= allowed, "{strategy:?}: {mean}, not {expected}");
    }
    assert_eq!(found.len(), 3);
}

/// Dong, Liu, Musial, Gabrys. NATS-Bench, TPAMI 2021, table 5.
#[test]
fn published_strategies_reach_the_published_means() {
    check_published(&["random", "--set", "strategy.duplicates=allowed"], [93.86, 71.55, 45.28]);
    let evolution = [
        "regularized-evolution",
        "--set",
        "strategy={population = 10, sample_size = 3, mutation = \"node-first\", \
         duplicates = \"allowed\", name = \"regularized-evolution\"}",
    ];
    check_published(&evolution, [94.02, 72.23, 45.77]);
    check_published(&["reinforce"], [93.90, 71.86, 45.64]);
}
