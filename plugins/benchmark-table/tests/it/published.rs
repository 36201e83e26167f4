//! The published tables, where they are present: their own checks.

use benchmark_table::{Dataset, Nb201Table, Nb201TableConfig};
use nas_plugin_api::component::{Benchmark, Component};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::Fidelity;

use crate::{published, space};

fn ops(text: &str) -> Genotype {
    Genotype(text.bytes().map(|digit| u16::from(digit - b'0')).collect())
}

fn check(dataset: Dataset, best: &str, expected: f64) {
    let Some(file) = published("nb201.csv.gz") else { return };
    let hardware = published("hw_nas_bench_nb201.csv.gz").unwrap_or_default();
    let config = Nb201TableConfig { file, dataset, hardware, ..Nb201TableConfig::default() };
    let mut table = Nb201Table::create(config, ()).unwrap();
    table.begin(&space(&[])).unwrap();
    let digits = |place: usize| (0..6).rev().map(move |digit| place / 5_usize.pow(digit) % 5);
    let all: Vec<Genotype> =
        (0..15_625).map(|place| Genotype(digits(place).map(|d| d as u16).collect())).collect();
    let fidelity = Fidelity { epochs: 12, data_fraction: 1.0 };
    let found = table.evaluate(&all, &fidelity, &vec![0; all.len()]).unwrap();
    let test = |measured: &Measurements| measured.get("holdout_accuracy").unwrap();
    let largest = found.iter().map(test).fold(0.0, f64::max);
    assert!((largest - expected).abs() < 1e-6, "{largest}");
    let of_best = table.evaluate(&[ops(best)], &fidelity, &[0]).unwrap();
    assert!((test(&of_best[0]) - expected).abs() < 1e-6);
    let unsupported = found.iter().filter(|one| one.get("edgetpu_latency_ms").is_none()).count();
    assert!([4699, 15_625].contains(&unsupported), "{unsupported}");
}

#[test]
fn the_best_networks_are_the_published_ones() {
    check(Dataset::Cifar10, "333132", 0.943_733);
    check(Dataset::Cifar100, "333133", 0.735_133);
    check(Dataset::ImageNet16, "223133", 0.473_111);
}
