//! The table of NAS-Bench-Graph.

use benchmark_table::{GraphDataset, GraphSpace, GraphSpaceConfig, GraphTable, GraphTableConfig};
use nas_plugin_api::component::{Benchmark, Component, FileField, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::template::{Scale, Space};
use nas_plugin_api::trial::Fidelity;

use crate::published;

fn own_space() -> Space {
    let space = GraphSpace::create(GraphSpaceConfig::default(), ()).unwrap();
    Space::new(space.template(&[], &Scale::default()).unwrap()).unwrap()
}

fn make(text: &str) -> Result<GraphTable, PluginError> {
    let file = FileField { path: "graph.csv".to_owned(), bytes: text.as_bytes().to_vec() };
    GraphTable::create(GraphTableConfig { file, ..GraphTableConfig::default() }, ())
}

/// The genotype of four inputs and four operations, wherever the space has them.
fn genotype(space: &Space, inputs: [u16; 4], operations: [u16; 4]) -> Genotype {
    let mut values = vec![0; 8];
    for node in 0..4 {
        values[space.choice(&format!("input_{}", node + 1)).unwrap()] = inputs[node];
        values[space.choice(&format!("operation_{}", node + 1)).unwrap()] = operations[node];
    }
    Genotype(values)
}

const HEADER: &str = "link,ops,cora_valid,cora_test,cora_latency_s,cora_params_m\n";
const ONCE: Fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };

#[track_caller]
fn check(inputs: [u16; 4], operations: [u16; 4], is_there: bool) {
    let mut benchmark = make(&format!("{HEADER}0012,5678,0.5,0.4,0.002,1.5\n")).unwrap();
    let space = own_space();
    benchmark.begin(&space).unwrap();
    let found = benchmark.evaluate(&[genotype(&space, inputs, operations)], &ONCE, &[0]).unwrap();
    let expected = Measurements::from([
        ("validation_accuracy", 0.5),
        ("holdout_accuracy", 0.4),
        ("latency_ms", 2.0),
        ("parameters", 1.5e6),
    ]);
    assert_eq!(found[0], if is_there { expected } else { Measurements::default() });
}

#[test]
fn a_network_is_found_however_its_nodes_are_numbered() {
    check([0, 0, 1, 2], [5, 6, 7, 8], true);
    // The first two nodes change places, and what reads them follows.
    check([0, 0, 2, 1], [6, 5, 7, 8], true);
    check([0, 0, 1, 2], [6, 5, 8, 7], true);
    // The chain 5 → 7 first, then 6 → 8.
    check([0, 1, 0, 3], [5, 7, 6, 8], true);
    check([0, 0, 1, 2], [5, 6, 8, 7], false);
    check([0, 1, 2, 3], [5, 6, 7, 8], false);
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    let message = |rows: &str| make(&format!("{HEADER}{rows}")).err().unwrap().message;
    let good = "0012,5678,0.5,0.4,0.002,1.5\n";
    let cases = [
        ("0022,5678,0.5,0.4,1,1", ""),
        ("0014,5678,0.5,0.4,1,1", "column `link`: each of four digits must name an earlier node"),
        ("0011,567,0.5,0.4,1,1", "column `ops`: expected four digits from 0 to 8"),
        ("0011,5679,0.5,0.4,1,1", "column `ops`: expected four digits from 0 to 8"),
        ("0011,5678,50,0.4,1,1", "column `cora_valid`: 50 is out of range (0 to 1)"),
        ("0011,5678,0.5,x,1,1", "column `cora_test`: `x` is no number"),
        ("0012,5678,0.5,0.4,1,1", "column `ops`: this network is there twice"),
    ];
    for (row, expected) in cases.iter().filter(|(_, expected)| !expected.is_empty()) {
        let expected = format!("read `graph.csv`: line 3, {expected}");
        assert_eq!(message(&format!("{good}{row}\n")), expected);
    }
    assert!(make(&format!("{HEADER}{good}{}\n", cases[0].0)).is_ok());
    assert_eq!(message(""), "read `graph.csv`: it has no rows");
}

#[test]
fn the_published_best_and_how_much_of_the_space_has_an_entry() {
    let Some(file) = published("nas_bench_graph.csv.gz") else { return };
    let space = own_space();
    let n = 24 * 9_usize.pow(4);
    let inputs = |place: usize| [0, place % 2, place / 2 % 3, place / 6 % 4].map(|i| i as u16);
    let operations = |place: usize| [1, 9, 81, 729].map(|power| (place / 24 / power % 9) as u16);
    let all: Vec<Genotype> =
        (0..n).map(|place| genotype(&space, inputs(place), operations(place))).collect();
    for (dataset, best) in [(GraphDataset::Cora, 0.83133), (GraphDataset::Arxiv, 0.72386)] {
        let config = GraphTableConfig { file: file.clone(), dataset, epochs: 1 };
        let mut benchmark = GraphTable::create(config, ()).unwrap();
        benchmark.begin(&space).unwrap();
        let found = benchmark.evaluate(&all, &ONCE, &vec![0; n]).unwrap();
        let tests: Vec<f64> = found.iter().filter_map(|one| one.get("holdout_accuracy")).collect();
        assert!((tests.iter().copied().fold(0.0, f64::max) - best).abs() < 1e-9);
        println!("{} of {n} genotypes have an entry", tests.len());
        assert!(tests.len() > n / 3, "{} of {n}", tests.len());
    }
}
