//! Prepared files: written whole, and refused when they are damaged.

use std::fs;

use nas_core::protocol::data::{DataConfig, DataFormat, DataRequest};
use nas_torch::data::{Split, prepare};
use sha2::{Digest, Sha256};

use super::{check_error, config, prepared, write};

fn digits() -> DataConfig {
    DataConfig { path: None, limit: Some(60), ..config(DataFormat::Digits, "".as_ref()) }
}

#[test]
fn the_sha256_is_that_of_the_file_and_nothing_else_is_left() {
    let made = prepared(digits());
    let bytes = fs::read(&made.summary.holdout.path).unwrap();
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(made.summary.holdout.sha256, sha256);
    let folder = made.summary.holdout.path.parent().unwrap();
    let mut names: Vec<_> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["holdout.safetensors", "train.safetensors", "validation.safetensors"]);
}

#[test]
fn preparing_again_replaces_the_files() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "train.safetensors", b"half a file");
    let request = DataRequest { config: digits(), output: folder.path().to_owned() };
    let summary = prepare(&request).unwrap();
    Split::read(&summary.train.path).unwrap();
    assert_eq!(prepare(&request).unwrap(), summary);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "file", b"");
    let request = DataRequest { config: digits(), output: file.join("inside") };
    let message = prepare(&request).unwrap_err().to_string();
    assert!(message.contains("can't write `") && message.contains("file/inside"), "{message}");
    assert!(message.contains("another run folder"), "{message}");
}

#[test]
fn nothing_is_written_for_a_source_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    check_error(config(DataFormat::Npz, folder.path()), &["is a folder"]);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn damaged_files_are_refused() {
    let made = prepared(digits());
    let path = &made.summary.train.path;
    let whole = fs::read(path).unwrap();
    let check = |bytes: &[u8], part: &str| {
        fs::write(path, bytes).unwrap();
        let message = Split::read(path).unwrap_err().to_string();
        assert!(message.contains("train.safetensors` is not a prepared split"), "{message}");
        assert!(message.contains(part) && message.contains("prepare the data again"), "{message}");
    };
    check(&whole[..whole.len() - 1], "");
    check(&whole[..5], "");
    check(b"", "");
    check(&[0xff; 40], "");
    let renamed = String::from_utf8_lossy(&whole[..200]).replace("\"std\"", "\"sdt\"");
    let header = 200.min(whole.len());
    check(&[renamed.as_bytes(), &whole[header..]].concat(), "");
    fs::remove_file(path).unwrap();
    let message = Split::read(path).unwrap_err().to_string();
    assert!(message.contains("does not exist: expected a prepared split"), "{message}");
}
