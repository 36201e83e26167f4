//! How fast `nas bench` is: strategies through their libraries, on the published table.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::estimate::Estimate;
use crate::parts::programs;
use crate::table::{Goal, Table};

/// The settings of NATS-Bench.
const EVOLUTION: [&str; 3] = [
    "regularized-evolution",
    "--set",
    "strategy={name = \"regularized-evolution\", population = 10, sample_size = 3, \
     mutation = \"node-first\", duplicates = \"allowed\"}",
];
/// Data sets and budgets of NATS-Bench.
const FULL: [&str; 12] = [
    "--dataset",
    "cifar10",
    "--dataset",
    "cifar100",
    "--dataset",
    "imagenet16-120",
    "--budget",
    "20000",
    "--budget",
    "40000",
    "--budget",
    "120000",
];
const RUNS: usize = 7;
/// Strategies that learn from all that they were told.
const MODEL_BASED: [&str; 3] = ["tpe", "bananas", "portfolio"];

pub(crate) fn run(table: &mut Table) {
    let folder = std::env::var_os("NAS_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join("nb201.csv.gz");
    if !file.exists() {
        table.note(&format!(
            "SKIPPED: {} does not exist (NAS_DATA names its folder)",
            file.display()
        ));
        return;
    }
    let file = file.to_string_lossy().into_owned();
    let full: Vec<Vec<Value>> = (0..RUNS).map(|_| bench(&file, &FULL).0).collect();
    let in_all = |rows: &Vec<Value>| rows.iter().map(|row| number(row, "wall_seconds")).sum();
    let seconds = Estimate::of(full.iter().map(in_all).collect());
    table.line("evolution, 3 data sets × 500 seeds, full budget, s", seconds, Goal::Below(5.0));
    let long: Vec<(Vec<Value>, f64)> =
        (0..RUNS).map(|_| bench(&file, &["--evaluations", "1000000", "--seeds", "1"])).collect();
    let of_long =
        |read: fn(&(Vec<Value>, f64)) -> f64| Estimate::of(long.iter().map(read).collect());
    let rate = of_long(|(rows, _)| number(&rows[0], "evaluations_per_second_and_thread"));
    table.line(
        "evaluations a second and thread, one search of a million",
        rate,
        Goal::AtLeast(3e5),
    );
    let ask = |rows: &[Value], part: usize| {
        let tenths = &rows[0]["ask_seconds_of_first_and_last_tenth"];
        tenths[part].as_f64().expect("a number")
    };
    let grown = long.iter().map(|(rows, _)| ask(rows, 1) / ask(rows, 0)).collect();
    table.line(
        "its last 100,000 asks beside its first, times as long",
        Estimate::of(grown),
        Goal::Below(1.2),
    );
    let few = bench(&file, &["--evaluations", "10000", "--seeds", "1"]).1;
    let more = long.iter().map(|(_, mebibytes)| mebibytes - few).collect();
    table.line(
        "memory beside that of 10,000 evaluations, MiB more",
        Estimate::of(more),
        Goal::Below(2.0),
    );
    for strategy in MODEL_BASED {
        let arguments = ["--evaluations", "500", "--seeds", "1"];
        let rows = bench_of(&[strategy], &file, &arguments).0;
        table.note(&format!(
            "  one ask of {strategy}, ms: {:.2} in the first 50 evaluations, {:.2} in the last of 500",
            1e3 * ask(&rows, 0),
            1e3 * ask(&rows, 1),
        ));
    }
}

/// What evolution's searches found, and the most memory that they took, in MiB.
fn bench(file: &str, arguments: &[&str]) -> (Vec<Value>, f64) {
    bench_of(&EVOLUTION, file, arguments)
}

/// The same of any strategy, whose name may be followed by other arguments.
fn bench_of(strategy: &[&str], file: &str, arguments: &[&str]) -> (Vec<Value>, f64) {
    let measured = Command::new("python3")
        .args(["-c", PEAK])
        .arg(programs().join("nas"))
        .arg("bench")
        .args(strategy)
        .args(["--table", file, "--json"])
        .args(arguments)
        .env("XDG_CACHE_HOME", programs().join("bench-cache"))
        .stderr(Stdio::inherit())
        .output()
        .expect("run `make build` first");
    assert!(measured.status.success());
    let text = String::from_utf8(measured.stdout).expect("JSON is UTF-8");
    let mut lines: Vec<&str> = text.lines().collect();
    let peak = lines.pop().and_then(|line| line.parse::<f64>().ok()).expect("the peak is last");
    let rows = lines.into_iter().map(|line| serde_json::from_str(line).expect("JSON"));
    (rows.collect(), peak / 1024.0)
}

/// Runs a command and prints, after what it prints, the most memory that it took, in KiB.
const PEAK: &str = "import resource, subprocess, sys\n\
    subprocess.run(sys.argv[1:], check=True)\n\
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("no `{key}` in {row}"))
}
