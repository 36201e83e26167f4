//! Tables made here, and the published ones where they are present.

#![cfg(test)]

mod bad_tables;
mod hardware;
mod nas_bench_graph;
mod nas_bench_macro;
mod nb201;
mod published;
mod zero_cost;

use std::io::Write;
use std::path::PathBuf;

use benchmark_table::{Dataset, Nb201Table, Nb201TableConfig};
use nas_plugin_api::component::{Component, FileField, OperationSet, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale, Space};
use ops_nb201::{Nb201Operations, Nb201OperationsConfig};
use space_nb201::{Nb201Config, Nb201Space};

const HEADER: &str = "index,ops,c10_valid_e12,c100_valid_e12,in16_valid_e12,c10_valid_e200,\
                      c10_test_e200,c100_test_e200,in16_test_e200,c10_train_s_per_epoch,\
                      c10_valid_s_per_eval,c10_test_s_per_eval";

/// A whole table: every accuracy is 10 and the place, modulo 80; an epoch takes 2 s, validations
/// 3 s, tests 4 s. `index` counts down, so that it differs from the order of `ops`.
fn table() -> Vec<String> {
    let rows = (0..15_625_usize).map(|place| {
        let digits = (0..6).rev().map(|digit| (place / 5_usize.pow(digit) % 5).to_string());
        let ops: String = digits.collect();
        let accuracy = 10 + place % 80;
        let [a, b, c] = [accuracy, accuracy + 1, accuracy + 2];
        format!("{},{ops},{a},{b},{c},{b},{c},{b},{a},2,3,4", 15_624 - place)
    });
    std::iter::once(HEADER.to_owned()).chain(rows).collect()
}

fn file(lines: &[String]) -> FileField {
    FileField { path: "cells.csv".to_owned(), bytes: lines.join("\n").into_bytes() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn make(file: FileField, dataset: Dataset) -> Result<Nb201Table, PluginError> {
    let config = Nb201TableConfig { file, dataset, ..Nb201TableConfig::default() };
    Nb201Table::create(config, ())
}

/// The space with these operations; all where empty.
fn space(operations: &[&str]) -> Space {
    let set = Nb201Operations::create(Nb201OperationsConfig::default(), ()).unwrap();
    let operations = operations.iter().map(|&name| name.to_owned()).collect();
    let space = Nb201Space::create(Nb201Config { operations, ..Nb201Config::default() }, ());
    let scale = Scale {
        input: Shape(vec![3, 32, 32]),
        classes: 10,
        channels: None,
        cells: Some(1),
        auxiliary_head: false,
        role: Role::Final,
    };
    Space::new(space.unwrap().template(&set.operations(), &scale).unwrap()).unwrap()
}

/// A published table beside the checkout, or in the folder that `NAS_DATA` names; nothing where
/// there is none.
fn published(name: &str) -> Option<FileField> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("NAS_DATA").map_or(beside, PathBuf::from).join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(FileField { path: name.to_owned(), bytes }),
        Err(_) => {
            println!("SKIPPED: {} does not exist", path.display());
            None
        }
    }
}
