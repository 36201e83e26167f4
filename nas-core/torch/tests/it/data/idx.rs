//! The MNIST family's files.

use std::path::{Path, PathBuf};

use nas_core::protocol::data::{DataConfig, DataFormat};

use super::{check_error, class_counts, config, content, gzip, pixels, prepared, write};

const IMAGE_BYTES: usize = 3 * 2;

fn images_file(images: std::ops::Range<usize>) -> Vec<u8> {
    let sizes = [images.len() as u32, 3, 2].map(u32::to_be_bytes).concat();
    let bytes = images.flat_map(|image| pixels(image, IMAGE_BYTES));
    [0, 0, 8, 3].into_iter().chain(sizes).chain(bytes).collect()
}

fn labels_file(labels: &[u8]) -> Vec<u8> {
    let size = (labels.len() as u32).to_be_bytes();
    [0, 0, 8, 1].into_iter().chain(size).chain(labels.iter().copied()).collect()
}

const TRAIN_LABELS: [u8; 10] = [3, 1, 3, 1, 3, 1, 3, 1, 3, 1];

/// Ten training images of the classes 1 and 3 and two test images.
fn write_all(folder: &Path, dot: &str, packed: bool) {
    let put = |name: &str, bytes: Vec<u8>| match packed {
        true => write(folder, &format!("{name}.gz"), &gzip(&bytes)),
        false => write(folder, name, &bytes),
    };
    put(&format!("train-images{dot}idx3-ubyte"), images_file(0..10));
    put(&format!("train-labels{dot}idx1-ubyte"), labels_file(&TRAIN_LABELS));
    put(&format!("t10k-images{dot}idx3-ubyte"), images_file(10..12));
    put(&format!("t10k-labels{dot}idx1-ubyte"), labels_file(&[1, 3]));
}

fn idx(folder: &Path) -> DataConfig {
    config(DataFormat::Idx, folder)
}

#[track_caller]
fn check_round_trip(dot: &str, packed: bool) {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), dot, packed);
    let made = prepared(idx(folder.path()));
    assert_eq!(made.summary.shape, [1, 3, 2]);
    assert_eq!(made.summary.classes, ["1", "3"]);
    let class_of = |label: u8| i64::from(label == 3);
    let mut trained: Vec<_> =
        (0..10).map(|image| (class_of(TRAIN_LABELS[image]), pixels(image, IMAGE_BYTES))).collect();
    trained.sort();
    assert_eq!(content(&[&made.train, &made.validation]), trained);
    assert_eq!(class_counts(&[&made.validation], 2), [1, 1]);
    assert_eq!(
        content(&[&made.holdout]),
        [(0, pixels(10, IMAGE_BYTES)), (1, pixels(11, IMAGE_BYTES))]
    );
}

#[test]
fn both_spellings_packed_or_not() {
    check_round_trip("-", false);
    check_round_trip(".", false);
    check_round_trip("-", true);
}

#[test]
fn an_unpacked_twin_wins_over_its_gz_and_a_prefix_may_stand_before() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), "-", false);
    write(folder.path(), "train-images-idx3-ubyte.gz", b"not even gzip");
    prepared(idx(folder.path()));

    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "emnist-letters-train-images-idx3-ubyte", &images_file(0..10));
    write(folder.path(), "emnist-letters-train-labels-idx1-ubyte", &labels_file(&TRAIN_LABELS));
    write(folder.path(), "emnist-letters-test-images-idx3-ubyte", &images_file(0..2));
    write(folder.path(), "emnist-letters-test-labels-idx1-ubyte", &labels_file(&[1, 1]));
    let made = prepared(idx(folder.path()));
    assert_eq!(made.summary.duplicates_across_splits, 2);
}

/// Replaces one file of a good folder, or removes it, and looks at the message.
#[track_caller]
fn check_bad(name: &str, bytes: Option<&[u8]>, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), "-", false);
    match bytes {
        Some(bytes) => drop(write(folder.path(), name, bytes)),
        None => std::fs::remove_file(folder.path().join(name)).unwrap(),
    }
    check_error(idx(folder.path()), parts);
}

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

#[test]
fn bad_files_are_named_with_what_is_wrong() {
    check_bad(
        IMAGES,
        None,
        &["no training images (`train-images-idx3-ubyte` or", "it holds `t10k-images-idx3-ubyte`"],
    );
    check_bad(
        IMAGES,
        Some(&labels_file(&TRAIN_LABELS)),
        &[
            IMAGES,
            "[00, 00, 08, 03]",
            "found 18 bytes beginning with [00, 00, 08, 01]",
            "exchanged",
        ],
    );
    check_bad(IMAGES, Some(b""), &[IMAGES, "found 0 bytes"]);
    check_bad(
        IMAGES,
        Some(&images_file(0..10)[..70]),
        &[IMAGES, "54 bytes", "sizes [10, 3, 2]", "needs 60", "truncated"],
    );
    check_bad(
        LABELS,
        Some(&labels_file(&[1, 3, 1])),
        &["10 images in `", IMAGES, "3 labels in `", LABELS],
    );
    check_bad(
        "t10k-labels-idx1-ubyte",
        Some(&labels_file(&[1, 7])),
        &["label 7 of image 1", "t10k-labels-idx1-ubyte", "one of the 2 training labels, 1 to 3"],
    );
    check_bad(
        "other-train-images-idx3-ubyte",
        Some(b""),
        &["both `other-train-images-idx3-ubyte` and `train-images-idx3-ubyte` as training"],
    );
}

#[test]
fn a_header_that_promises_too_much_allocates_nothing() {
    let huge = [&[0, 0, 8, 3][..], &[0xff; 12]].concat();
    check_bad(IMAGES, Some(&huge), &[IMAGES, "0 bytes of data", "4294967295"]);
    // Ten images of no height: as many bytes as there are.
    let flat = [&[0, 0, 8, 3][..], &[0, 0, 0, 10], &[0; 4], &[0, 0, 0, 2]].concat();
    check_bad(IMAGES, Some(&flat), &["no pixels", "[1, 0, 2]"]);
}

#[test]
fn a_broken_gzip_is_called_so() {
    let packed = gzip(&images_file(0..10));
    check_bad(IMAGES, Some(&packed[..packed.len() - 9]), &[IMAGES, "broken gzip file", "again"]);
}

#[test]
fn a_missing_or_wrong_path_says_what_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    check_error(
        DataConfig { path: None, ..idx(folder.path()) },
        &["data format `idx` needs `data.path`", "train-images-idx3-ubyte"],
    );
    check_error(idx(&folder.path().join("gone")), &["gone` does not exist", "four IDX files"]);
    let file = write(folder.path(), "file", b"x");
    check_error(idx(&file), &["file` is a file: expected a folder with the four IDX files"]);
}

#[test]
fn test_images_of_another_size_are_refused() {
    let other = [&[0, 0, 8, 3][..], &[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1], &[1, 2]].concat();
    check_bad("t10k-images-idx3-ubyte", Some(&other), &["[1, 1, 1]", "training images [1, 3, 2]"]);
}

/// Where Debian's package `dataset-fashion-mnist` puts it; `NAS_FASHION_MNIST` names another folder.
#[test]
fn fashion_mnist_has_the_published_class_counts() {
    let folder = std::env::var_os("NAS_FASHION_MNIST")
        .map_or_else(|| "/usr/share/datasets/fashion-mnist".into(), PathBuf::from);
    if !folder.exists() {
        println!("skipped: {} does not exist", folder.display());
        return;
    }
    let made = prepared(idx(&folder));
    assert_eq!(made.summary.shape, [1, 28, 28]);
    assert_eq!(class_counts(&[&made.train, &made.validation], 10), [6000; 10]);
    assert_eq!(class_counts(&[&made.validation], 10), [1200; 10]);
    assert_eq!(class_counts(&[&made.holdout], 10), [1000; 10]);
    // Published: mean 0.2860, deviation 0.3530 over all 60,000 training images.
    assert!((made.train.mean[0] - 0.2860).abs() < 0.002, "{:?}", made.train.mean);
    assert!((made.train.std[0] - 0.3530).abs() < 0.002, "{:?}", made.train.std);
    println!("{} duplicates", made.summary.duplicates_across_splits);
}
