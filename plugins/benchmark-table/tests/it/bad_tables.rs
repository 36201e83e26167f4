//! Tables with mistakes: the message names line and column.

use benchmark_table::Dataset;
use nas_plugin_api::component::FileField;

use crate::{file, gzip, make, table};

/// The message for a table that was changed.
#[track_caller]
fn check(change: impl FnOnce(&mut Vec<String>), expected: &str) {
    let mut lines = table();
    change(&mut lines);
    let error = make(file(&lines), Dataset::Cifar10).err().map(|error| error.message);
    assert_eq!(error.as_deref(), Some(expected));
}

/// Puts a text into a cell; lines are counted from 1.
fn put(lines: &mut [String], line: usize, column: usize, text: &str) {
    let mut cells: Vec<&str> = lines[line - 1].split(',').collect();
    cells[column] = text;
    lines[line - 1] = cells.join(",");
}

#[test]
fn cells_that_are_no_numbers() {
    check(
        |lines| put(lines, 17, 2, "n/a"),
        "read `cells.csv`: line 17, column `c10_valid_e12`: `n/a` is no number",
    );
    check(
        |lines| put(lines, 15_626, 9, ""),
        "read `cells.csv`: line 15626, column `c10_train_s_per_epoch`: `` is no number",
    );
}

#[test]
fn values_out_of_range() {
    check(
        |lines| put(lines, 3, 6, "100.5"),
        "read `cells.csv`: line 3, column `c10_test_e200`: 100.5 is out of range (0 to 100)",
    );
    check(
        |lines| put(lines, 3, 6, "NaN"),
        "read `cells.csv`: line 3, column `c10_test_e200`: NaN is out of range (0 to 100)",
    );
    check(
        |lines| put(lines, 4, 10, "-1"),
        "read `cells.csv`: line 4, column `c10_valid_s_per_eval`: -1 is out of range (0 to 1000000)",
    );
}

#[test]
fn keys_that_are_wrong_or_there_twice() {
    check(
        |lines| put(lines, 9, 1, "000001"),
        "read `cells.csv`: line 9, column `ops`: `000001` is there twice, first in line 3",
    );
    check(
        |lines| put(lines, 9, 1, "12"),
        "read `cells.csv`: line 9, column `ops`: `12` is not six digits from 0 to 4 (a spreadsheet \
         may have cut leading zeros)",
    );
    check(
        |lines| put(lines, 9, 1, "000005"),
        "read `cells.csv`: line 9, column `ops`: `000005` is not six digits from 0 to 4 (a \
         spreadsheet may have cut leading zeros)",
    );
    check(
        |lines| put(lines, 9, 0, "15624"),
        "read `cells.csv`: line 9, column `index`: 15624 is there twice, or no whole number",
    );
}

#[test]
fn missing_columns_and_rows() {
    check(
        |lines| lines[0] = lines[0].replace("c10_test_e200", "c10_tests"),
        "read `cells.csv`: column `c10_test_e200` is missing (there are index, ops, c10_valid_e12, \
         c100_valid_e12, in16_valid_e12, c10_valid_e200, c10_tests, c100_test_e200, \
         in16_test_e200, c10_train_s_per_epoch, c10_valid_s_per_eval, c10_test_s_per_eval)",
    );
    check(|lines| lines.truncate(100), "read `cells.csv`: it has 99 rows, the whole table 15625");
    check(
        |lines| lines[0] = lines[0].replace("in16_valid_e12", "c10_valid_e12"),
        "read `cells.csv`: two columns are named `c10_valid_e12`",
    );
    check(
        |lines| lines[7] = "1,2".to_owned(),
        "read `cells.csv`: line 8 has 2 cells, the header 12",
    );
}

#[test]
fn files_that_are_no_tables() {
    let message = |file: FileField| make(file, Dataset::Cifar10).err().unwrap().message;
    assert_eq!(message(FileField::default()), "read the table: none is named");
    let with = |bytes: Vec<u8>| FileField { path: "cells.csv".to_owned(), bytes };
    assert!(message(with(Vec::new())).ends_with("the first line must name the columns"));
    let mut cut = gzip(table().join("\n").as_bytes());
    cut.truncate(cut.len() / 2);
    assert!(message(with(cut)).starts_with("read `cells.csv`: "));
    assert!(message(with(vec![0xff, 0xfe, b'\n', 0xff])).starts_with("read `cells.csv`: "));
}
