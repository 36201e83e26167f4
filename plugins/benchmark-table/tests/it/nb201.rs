//! The table of NAS-Bench-201: looking up.

use benchmark_table::{Dataset, Nb201Table};
use nas_plugin_api::component::Benchmark;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::Fidelity;

use crate::{file, gzip, make, space, table};

fn look_up(
    table: &mut Nb201Table,
    genotype: &[u16],
    epochs: u32,
) -> Result<Measurements, PluginError> {
    let fidelity = Fidelity { epochs, data_fraction: 1.0 };
    let found = table.evaluate(&[Genotype(genotype.to_vec())], &fidelity, &[0])?;
    Ok(found.into_iter().next().unwrap())
}

#[track_caller]
fn check(dataset: Dataset, epochs: u32, expected: [f64; 3]) {
    let mut benchmark = make(file(&table()), dataset).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    // Place 7.
    let found = look_up(&mut benchmark, &[0, 0, 0, 0, 1, 2], epochs).unwrap();
    let names = ["validation_accuracy", "holdout_accuracy", "simulated_seconds"];
    assert_eq!(benchmark.delivers(), names);
    for (name, expected) in names.iter().zip(expected) {
        assert!((found.get(name).unwrap() - expected).abs() < 1e-9, "{name}: {found:?}");
    }
}

#[test]
fn accuracies_are_fractions_and_seconds_are_those_of_nats_bench() {
    check(Dataset::Cifar10, 12, [0.17, 0.19, 12.0 * 2.0 + 3.0]);
    check(Dataset::Cifar10, 200, [0.18, 0.19, 200.0 * 2.0 + 3.0]);
    check(Dataset::Cifar100, 12, [0.18, 0.18, 24.0 * 2.0 + 0.5 * 4.0]);
    check(Dataset::ImageNet16, 12, [0.19, 0.17, 72.816 * 2.0 + 0.3 * 4.0]);
}

#[test]
fn the_order_of_rows_and_compression_do_not_matter() {
    let mut lines = table();
    lines[1..].reverse();
    let mut packed = file(&lines);
    packed.bytes = gzip(&packed.bytes);
    let mut tables = [file(&table()), packed].map(|file| make(file, Dataset::Cifar10).unwrap());
    let found = tables.each_mut().map(|table| {
        table.begin(&space(&[])).unwrap();
        look_up(table, &[4, 3, 2, 1, 0, 4], 12).unwrap()
    });
    assert_eq!(found[0], found[1]);
}

#[test]
fn operations_are_found_by_name_where_the_space_has_fewer() {
    let mut benchmark = make(file(&table()), Dataset::Cifar10).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    let whole = look_up(&mut benchmark, &[3, 1, 3, 3, 1, 3], 12).unwrap();
    benchmark.begin(&space(&["nor_conv_3x3", "skip_connect"])).unwrap();
    let part = look_up(&mut benchmark, &[0, 1, 0, 0, 1, 0], 12).unwrap();
    assert_eq!(whole, part);
}

#[track_caller]
fn check_fidelity(dataset: Dataset, epochs: u32, data_fraction: f64, expected: &str) {
    let mut benchmark = make(file(&table()), dataset).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    let fidelity = Fidelity { epochs, data_fraction };
    let error = benchmark.evaluate(&[Genotype(vec![0; 6])], &fidelity, &[0]).unwrap_err();
    assert_eq!(error.message, expected);
}

#[test]
fn a_fidelity_outside_the_table_is_refused() {
    let expected = "look up 50 epochs on 1 of the data: `cells.csv` has 12 or 200 epochs on all \
                    data for c10";
    check_fidelity(Dataset::Cifar10, 50, 1.0, expected);
    let expected = "look up 200 epochs on 1 of the data: `cells.csv` has 12 epochs on all data for \
                    c100";
    check_fidelity(Dataset::Cifar100, 200, 1.0, expected);
    let expected = "look up 12 epochs on 0.5 of the data: `cells.csv` has 12 epochs on all data \
                    for in16";
    check_fidelity(Dataset::ImageNet16, 12, 0.5, expected);
}

#[test]
fn another_space_is_refused() {
    use nas_plugin_api::graph::Linear;
    use nas_plugin_api::template::{Space, TemplateBuilder};
    let mut template = TemplateBuilder::new("layers");
    let x = template.input([8]);
    let x = template.chosen_width("width", &[4, 8], Linear::new(8), x);
    let space = Space::new(template.finish(x).unwrap()).unwrap();
    let mut benchmark = make(file(&table()), Dataset::Cifar10).unwrap();
    let error = benchmark.begin(&space).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.help.as_deref()),
        (
            "look up networks of space `layers`: it has 1 choices, not 6",
            Some("take space and operations `nb201`")
        )
    );
    let error = benchmark.evaluate(
        &[Genotype(vec![0; 6])],
        &Fidelity { epochs: 12, data_fraction: 1.0 },
        &[0],
    );
    assert!(error.is_err());
}
