//! The columns of zero-cost proxies.

use benchmark_table::{Dataset, Nb201Table, Nb201TableConfig};
use nas_plugin_api::component::{Benchmark, Component, FileField};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::Fidelity;

use crate::{file, published, space, table};

const HEADER: &str = "index,c10_nwot,c10_jacov,c10_synflow,c10_snip,c10_grad_norm,in16_nwot,\
                      in16_jacov,in16_synflow,in16_snip,in16_grad_norm";

/// A place's index in `table()` is 15,624 less the place. The place of a cell is its digits in base 5:
/// that of 030303 is 1,953, and of 030033 1,893.
fn proxies() -> Vec<String> {
    let row =
        |place: usize, jacov: &str| format!("{},{place},{jacov},3,4,5,6,7,8,9,10", 15_624 - place);
    vec![HEADER.to_owned(), row(1_953, "-70"), row(0, "-1e8")]
}

fn make(proxies: &[String], dataset: Dataset) -> Result<Nb201Table, PluginError> {
    let zero_cost =
        FileField { path: "proxies.csv".to_owned(), bytes: proxies.join("\n").into_bytes() };
    let file = file(&table());
    Nb201Table::create(Nb201TableConfig { file, dataset, zero_cost, ..Default::default() }, ())
}

fn untrained(benchmark: &mut Nb201Table, digits: [u16; 6]) -> Measurements {
    benchmark.begin(&space(&[])).unwrap();
    let genotypes = [Genotype(digits.to_vec())];
    benchmark.evaluate(&genotypes, &Fidelity::UNTRAINED, &[0]).unwrap().remove(0)
}

#[test]
fn proxies_are_all_that_is_measured_untrained() {
    let mut benchmark = make(&proxies(), Dataset::Cifar10).unwrap();
    let measured = untrained(&mut benchmark, [0, 3, 0, 3, 0, 3]);
    // Three steps on 64 of 25,000 images, an epoch of which takes 2 s.
    let seconds = 3.0 * 64.0 / 25_000.0 * 2.0;
    assert_eq!(
        measured,
        Measurements::from([
            ("naswot", 1_953.0),
            ("jacov", -70.0),
            ("synflow", 3.0),
            ("snip", 4.0),
            ("grad_norm", 5.0),
            ("simulated_seconds", seconds),
        ])
    );
    let mut other = make(&proxies(), Dataset::ImageNet16).unwrap();
    assert_eq!(untrained(&mut other, [0, 3, 0, 3, 0, 3]).get("naswot"), Some(6.0));
    // Nobody took those of CIFAR-100.
    let mut other = make(&proxies(), Dataset::Cifar100).unwrap();
    assert_eq!(untrained(&mut other, [0, 3, 0, 3, 0, 3]).get("naswot"), Some(1_953.0));
}

#[test]
fn what_was_not_computed_is_absent() {
    let mut benchmark = make(&proxies(), Dataset::Cifar10).unwrap();
    let measured = untrained(&mut benchmark, [0; 6]);
    assert_eq!((measured.get("jacov"), measured.get("synflow")), (None, Some(3.0)));
    let measured = untrained(&mut benchmark, [1; 6]);
    assert_eq!(measured.0.keys().collect::<Vec<_>>(), ["simulated_seconds"]);
}

#[test]
fn operations_that_nothing_reaches_change_no_proxy() {
    let mut benchmark = make(&proxies(), Dataset::Cifar10).unwrap();
    // Node 1 has no input: what leaves it is as good as `none`.
    let measured = untrained(&mut benchmark, [0, 3, 4, 3, 2, 3]);
    assert_eq!(measured.get("naswot"), Some(1_953.0));
}

#[test]
fn trained_networks_have_them_too() {
    let mut benchmark = make(&proxies(), Dataset::Cifar10).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    let fidelity = Fidelity { epochs: 12, data_fraction: 1.0 };
    let found = benchmark.evaluate(&[Genotype(vec![0; 6])], &fidelity, &[0]).unwrap();
    assert_eq!(found[0].get("synflow"), Some(3.0));
    let mut missing: Vec<String> = benchmark.delivers();
    missing.retain(|name| found[0].get(name).is_none());
    assert_eq!(missing, ["jacov"]);
}

#[test]
fn without_the_table_nothing_is_measured_untrained() {
    let file = file(&table());
    let mut benchmark =
        Nb201Table::create(Nb201TableConfig { file, ..Default::default() }, ()).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    let refused = benchmark.evaluate(&[Genotype(vec![0; 6])], &Fidelity::UNTRAINED, &[0]);
    assert!(refused.is_err());
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    let message = |line: usize, text: &str| {
        let mut lines = proxies();
        lines[line - 1] = text.to_owned();
        make(&lines, Dataset::Cifar10).err().unwrap().message
    };
    assert_eq!(
        message(3, "13671,1,2,3,4,5,6,7,8,9,10"),
        "read `proxies.csv`: line 3, column `index`: 13671 is there twice, or no whole number"
    );
    assert_eq!(
        message(2, "1,1,2,,4,5,6,7,8,9,10"),
        "read `proxies.csv`: line 2, column `c10_synflow`: `` is no number"
    );
    assert!(message(1, "index,a,b,c,d,e,f,g,h,i,j").contains("column `c10_nwot` is missing"));
}

/// All networks have values, but for one that can't be told apart from nothing.
#[test]
fn the_published_table_covers_the_space() {
    let (Some(file), Some(zero_cost)) =
        (published("nb201.csv.gz"), published("nb201_zero_cost.csv.gz"))
    else {
        return;
    };
    let config = Nb201TableConfig { file, zero_cost, ..Default::default() };
    let mut benchmark = Nb201Table::create(config, ()).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    let genotypes: Vec<Genotype> = (0..15_625_u16)
        .map(|place| Genotype((0..6).rev().map(|digit| place / 5_u16.pow(digit) % 5).collect()))
        .collect();
    let seeds = vec![0; genotypes.len()];
    let found = benchmark.evaluate(&genotypes, &Fidelity::UNTRAINED, &seeds).unwrap();
    let having = |name| found.iter().filter(|one| one.get(name).is_some()).count();
    // 341 cells are cut off from their input: they are the one whose `jacov` nobody could compute.
    assert_eq!([having("synflow"), having("snip")], [15_625; 2]);
    assert_eq!([having("jacov"), having("naswot")], [15_284; 2]);
}
