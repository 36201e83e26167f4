//! The table of NAS-Bench-Macro.

use benchmark_table::{MacroSpace, MacroSpaceConfig, MacroTable, MacroTableConfig};
use nas_plugin_api::component::{Benchmark, Component, FileField, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{Scale, Space};
use nas_plugin_api::trial::Fidelity;

use crate::{published, space};

fn own_space() -> Space {
    let space = MacroSpace::create(MacroSpaceConfig::default(), ()).unwrap();
    Space::new(space.template(&[], &Scale::default()).unwrap()).unwrap()
}

fn make(file: FileField) -> Result<MacroTable, PluginError> {
    MacroTable::create(MacroTableConfig { file, ..MacroTableConfig::default() }, ())
}

/// All networks: 10 %, 20 % and 30 % in the three trainings.
fn table() -> Vec<String> {
    let row = |place: usize| {
        let digits = (0..8).rev().map(|digit| (place / 3_usize.pow(digit) % 3).to_string());
        format!("{},10,20,30,20", digits.collect::<String>())
    };
    std::iter::once("arch,test_acc_1,test_acc_2,test_acc_3,mean_acc".to_owned())
        .chain((0..6561).map(row))
        .collect()
}

fn file(lines: &[String]) -> FileField {
    FileField { path: "macro.csv".to_owned(), bytes: lines.join("\n").into_bytes() }
}

const ONCE: Fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };

#[test]
fn the_seed_chooses_the_training_and_the_mean_is_the_verdict() {
    let mut benchmark = make(file(&table())).unwrap();
    benchmark.begin(&own_space()).unwrap();
    let genotypes = vec![Genotype(vec![2, 0, 1, 2, 0, 1, 2, 2]); 3];
    let found = benchmark.evaluate(&genotypes, &ONCE, &[0, 1, 5]).unwrap();
    let seen = found.iter().map(|one| one.get("validation_accuracy").unwrap());
    assert_eq!(seen.collect::<Vec<_>>(), [0.1, 0.2, 0.3]);
    assert!(found.iter().all(|one| one.get("holdout_accuracy") == Some(0.2)));
}

#[test]
fn mistakes_are_named() {
    let message = |change: fn(&mut Vec<String>)| {
        let mut lines = table();
        change(&mut lines);
        make(file(&lines)).err().unwrap().message
    };
    assert_eq!(
        message(|lines| lines[4] = "00000001,1,2,3,2".to_owned()),
        "read `macro.csv`: line 5, column `arch`: `00000001` is there twice"
    );
    assert_eq!(
        message(|lines| lines[4] = "3,1,2,3,2".to_owned()),
        "read `macro.csv`: line 5, column `arch`: `3` is not eight digits from 0 to 2"
    );
    assert_eq!(
        message(|lines| lines.truncate(9)),
        "read `macro.csv`: it has 8 rows, the whole table 6561"
    );
}

#[test]
fn another_space_or_fidelity_is_refused() {
    let mut benchmark = make(file(&table())).unwrap();
    assert!(benchmark.begin(&space(&[])).is_err());
    benchmark.begin(&own_space()).unwrap();
    let twelve = Fidelity { epochs: 12, ..ONCE };
    let error = benchmark.evaluate(&[Genotype(vec![0; 8])], &twelve, &[0]).unwrap_err();
    assert!(error.message.contains("which counts as 1 epochs on all data"), "{error}");
}

#[test]
fn the_best_network_is_the_published_one() {
    let Some(file) = published("nas_bench_macro.csv.gz") else { return };
    let mut benchmark = make(file).unwrap();
    benchmark.begin(&own_space()).unwrap();
    let genotype = Genotype(vec![2, 2, 2, 1, 2, 2, 0, 2]);
    let found = benchmark.evaluate(&[genotype], &ONCE, &[0]).unwrap();
    assert!((found[0].get("holdout_accuracy").unwrap() - 0.931_267).abs() < 1e-6);
}
