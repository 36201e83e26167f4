//! The columns of HW-NAS-Bench.

use benchmark_table::{Nb201Table, Nb201TableConfig};
use nas_plugin_api::component::{Benchmark, Component, FileField};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::Fidelity;

use crate::{file, space, table};

/// `edgetpu` supports every second cell.
fn devices() -> Vec<String> {
    let row = |index: usize| {
        let edgetpu = if index.is_multiple_of(2) { "-1".to_owned() } else { format!("{index}.5") };
        format!("{index},{index},{edgetpu},1")
    };
    let header = "index,c10_edgegpu_latency_ms,c10_edgetpu_latency_ms,c100_edgegpu_latency_ms";
    std::iter::once(header.to_owned()).chain((0..15_625).map(row)).collect()
}

fn make(devices: &[String]) -> Result<Nb201Table, PluginError> {
    let hardware =
        FileField { path: "devices.csv".to_owned(), bytes: devices.join("\n").into_bytes() };
    let file = file(&table());
    let config = Nb201TableConfig { file, hardware, ..Nb201TableConfig::default() };
    Nb201Table::create(config, ())
}

#[test]
fn devices_are_measurements_and_unsupported_is_none() {
    let mut benchmark = make(&devices()).unwrap();
    benchmark.begin(&space(&[])).unwrap();
    assert_eq!(benchmark.delivers()[3..], ["edgegpu_latency_ms", "edgetpu_latency_ms"]);
    let fidelity = Fidelity { epochs: 12, data_fraction: 1.0 };
    // Places 0 and 1 have the indices 15,624 and 15,623.
    let genotypes = [Genotype(vec![0; 6]), Genotype(vec![0, 0, 0, 0, 0, 1])];
    let found = benchmark.evaluate(&genotypes, &fidelity, &[0, 0]).unwrap();
    assert_eq!(found[0].get("edgegpu_latency_ms"), Some(15_624.0));
    assert_eq!(found[0].get("edgetpu_latency_ms"), None);
    assert_eq!(found[1].get("edgetpu_latency_ms"), Some(15_623.5));
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    let message = |line: usize, text: &str| {
        let mut lines = devices();
        lines[line - 1] = text.to_owned();
        make(&lines).err().unwrap().message
    };
    assert_eq!(
        message(5, "2,7,1,1"),
        "read `devices.csv`: line 5, column `index`: 2 is there twice"
    );
    assert_eq!(
        message(5, "3,7,-0.5,1"),
        "read `devices.csv`: line 5, column `c10_edgetpu_latency_ms`: neither −1 (unsupported) nor \
         at least 0"
    );
    assert_eq!(message(1, "index,a,b,c"), "read `devices.csv`: no column begins with `c10_`");
}
