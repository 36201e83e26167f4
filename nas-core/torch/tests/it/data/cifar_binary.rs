//! CIFAR-10's binary batches.

use std::path::{Path, PathBuf};

use nas_core::protocol::data::{DataConfig, DataFormat};

use super::{check_error, class_counts, config, content, gzip, pixels, prepared, write};

const IMAGE_BYTES: usize = 3 * 32 * 32;

fn batch(images: std::ops::Range<usize>) -> Vec<u8> {
    images
        .flat_map(|image| [vec![(image % 2) as u8], pixels(image, IMAGE_BYTES)].concat())
        .collect()
}

fn expected(images: std::ops::Range<usize>) -> Vec<(i64, Vec<u8>)> {
    let mut all: Vec<_> =
        images.map(|image| ((image % 2) as i64, pixels(image, IMAGE_BYTES))).collect();
    all.sort();
    all
}

fn cifar(folder: &Path) -> DataConfig {
    config(DataFormat::CifarBinary, folder)
}

#[test]
fn the_official_names_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "data_batch_1.bin", &batch(0..6));
    write(folder.path(), "data_batch_2.bin.gz", &gzip(&batch(6..10)));
    write(folder.path(), "data_batch_1.bin.gz", &gzip(&batch(0..6)));
    write(folder.path(), "test_batch.bin", &batch(10..13));
    write(folder.path(), "readme.html", b"<html>");
    let made = prepared(cifar(folder.path()));
    assert_eq!(made.summary.shape, [3, 32, 32]);
    assert_eq!(made.summary.classes[..3], ["airplane", "automobile", "bird"]);
    assert_eq!(content(&[&made.train, &made.validation]), expected(0..10));
    assert_eq!(content(&[&made.holdout]), expected(10..13));
}

#[test]
fn own_names_without_test_are_split_three_ways() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "my_train_10.bin", &batch(0..10));
    write(folder.path(), "batches.meta.txt", b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
    let made = prepared(cifar(folder.path()));
    assert_eq!(made.summary.classes.concat(), "abcdefghij");
    assert_eq!(content(&[&made.train, &made.validation, &made.holdout]), expected(0..10));
    assert_eq!(class_counts(&[&made.holdout], 10)[..2], [1, 1]);
}

#[track_caller]
fn check_bad(bytes: &[u8], parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "train.bin", bytes);
    check_error(cifar(folder.path()), parts);
}

#[test]
fn bad_batches_are_named_with_what_is_wrong() {
    check_bad(
        &batch(0..3)[..9000],
        &["train.bin` has 9000 bytes", "records of 3073 (2854 left over)", "truncated"],
    );
    check_bad(b"", &["train.bin` has 0 bytes", "empty"]);
    check_bad(&vec![1; 3074 * 2], &["it looks like CIFAR-100"]);
    let mut wrong = batch(0..3);
    wrong[3073] = 10;
    check_bad(&wrong, &["label 10 of image 1 in `", "train.bin` is out of range: expected 0 to 9"]);
    check_bad(&[0; 3073 * 4], &["4 training images in 1 classes"]);
}

#[test]
fn folders_without_what_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    check_error(cifar(folder.path()), &["has no training batch", "it holds nothing"]);
    write(folder.path(), "test_batch.bin", &batch(0..3));
    check_error(cifar(folder.path()), &["has no training batch", "it holds `test_batch.bin`"]);
    write(folder.path(), "data_batch_1.bin", &batch(0..9));
    write(folder.path(), "batches.meta.txt", b"one\ntwo");
    check_error(cifar(folder.path()), &["batches.meta.txt", "10 class names", "found 2 names"]);
}

/// 5,000 real images beside the checkout; `NAS_DATA` names another folder that holds them.
#[test]
fn the_cifar_10_subset_has_the_published_class_counts() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("NAS_DATA").map_or(beside, PathBuf::from).join("cifar10-subset");
    if !folder.exists() {
        println!("skipped: {} does not exist", folder.display());
        return;
    }
    let made = prepared(cifar(&folder));
    assert_eq!(
        class_counts(&[&made.train, &made.validation], 10),
        [396, 366, 420, 384, 422, 393, 414, 385, 407, 413]
    );
    assert_eq!(class_counts(&[&made.holdout], 10), [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]);
    assert_eq!((made.summary.train.images, made.summary.validation.images), (3200, 800));
}
