//! NumPy's archives, written here as NumPy writes them.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use nas_core::protocol::data::{DataConfig, DataFormat};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{check_error, class_counts, config, content, pixels, prepared, try_prepared, write};

/// An array file, version 1.0.
fn npy(dtype: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), bytes].concat()
}

fn write_npz(folder: &Path, arrays: &[(&str, Vec<u8>)]) -> PathBuf {
    let path = folder.join("mine.npz");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (position, (name, bytes)) in arrays.iter().enumerate() {
        let method =
            [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][position % 2];
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn npz(path: &Path) -> DataConfig {
    config(DataFormat::Npz, path)
}

/// Ten images of 2×3, one byte each.
fn ten_images() -> Vec<u8> {
    (0..10).flat_map(|image| pixels(image, 6)).collect()
}

/// Labels 0 and 1 by turns.
fn ten_labels() -> Vec<u8> {
    npy("<i8", &[10], &(0..10).flat_map(|image| (image % 2_i64).to_le_bytes()).collect::<Vec<_>>())
}

fn expected(images: std::ops::Range<usize>) -> Vec<(i64, Vec<u8>)> {
    let mut all: Vec<_> = images.map(|image| ((image % 2) as i64, pixels(image, 6))).collect();
    all.sort();
    all
}

#[track_caller]
fn check_round_trip(x_train: Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = write_npz(folder.path(), &[("x_train", x_train), ("y_train", ten_labels())]);
    let made = prepared(npz(&path));
    assert_eq!(made.summary.shape, [1, 2, 3]);
    assert_eq!(made.summary.classes, ["0", "1"]);
    assert_eq!(content(&[&made.train, &made.validation, &made.holdout]), expected(0..10));
}

#[test]
fn grey_images_of_bytes_or_floats_with_or_without_a_channel_axis() {
    check_round_trip(npy("|u1", &[10, 2, 3], &ten_images()));
    check_round_trip(npy("|u1", &[10, 1, 2, 3], &ten_images()));
    check_round_trip(npy("|u1", &[10, 2, 3, 1], &ten_images()));
    let floats = |image: &u8| (f32::from(*image) / 255.0).to_le_bytes();
    check_round_trip(npy(
        "<f4",
        &[10, 2, 3],
        &ten_images().iter().flat_map(floats).collect::<Vec<_>>(),
    ));
    let doubles = |image: &u8| (f64::from(*image) / 255.0).to_be_bytes();
    check_round_trip(npy(
        ">f8",
        &[10, 2, 3],
        &ten_images().iter().flat_map(doubles).collect::<Vec<_>>(),
    ));
}

#[test]
fn a_test_set_is_the_holdout_and_may_lack_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_npz(
        folder.path(),
        &[
            ("x_train", npy("|u1", &[10, 2, 3], &ten_images())),
            ("y_train", ten_labels()),
            ("x_test", npy("|u1", &[1, 2, 3], &pixels(11, 6))),
            ("y_test", npy("|u1", &[1, 1], &[1])),
        ],
    );
    let made = prepared(npz(&path));
    assert_eq!(content(&[&made.train, &made.validation]), expected(0..10));
    assert_eq!(content(&[&made.holdout]), expected(11..12));
    assert_eq!(class_counts(&[&made.holdout], 2), [0, 1]);
}

#[test]
fn channels_last_come_first() {
    let folder = tempfile::tempdir().unwrap();
    // Four images of 4×3 pixels, each pixel (p, 100 + p, 200 + p).
    let image: Vec<u8> = (0..12).flat_map(|pixel| [pixel, 100 + pixel, 200 + pixel]).collect();
    let path = write_npz(
        folder.path(),
        &[
            ("x_train", npy("|u1", &[6, 4, 3, 3], &image.repeat(6))),
            ("y_train", npy("|u1", &[6], &[0, 1, 0, 1, 0, 1])),
        ],
    );
    let made = prepared(npz(&path));
    assert_eq!(made.summary.shape, [3, 4, 3]);
    let planes: Vec<u8> = (0..12).chain(100..112).chain(200..212).collect();
    assert_eq!(made.train.images[..36], planes);
}

#[track_caller]
fn check_bad(x_train: Vec<u8>, y_train: Vec<u8>, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = write_npz(folder.path(), &[("x_train", x_train), ("y_train", y_train)]);
    check_error(npz(&path), parts);
}

#[test]
fn bad_images_are_named_with_what_is_wrong() {
    let check = |x_train, parts: &[&str]| check_bad(x_train, ten_labels(), parts);
    let bytes = |count: usize| vec![0; count];
    check(
        npy("<i8", &[10, 2, 3], &bytes(480)),
        &["array `x_train` of `", "mine.npz` has dtype `<i8`", "x.astype(\"uint8\")"],
    );
    check(npy("<f2", &[10, 2, 3], &bytes(120)), &["has dtype `<f2`", "astype(\"float32\") / 255"]);
    check(npy("|u1", &[10, 6], &bytes(60)), &["has shape [10, 6]", "[n, height, width]"]);
    check(npy("|u1", &[10, 3, 3, 3], &bytes(270)), &["has shape [10, 3, 3, 3]"]);
    check(npy("|u1", &[0, 2, 3], &bytes(0)), &["has shape [0, 2, 3]"]);
    check(
        npy("|u1", &[9, 2, 3], &bytes(54)),
        &["9 images in `x_train of", "10 labels in `y_train of"],
    );
    check(
        npy("|u1", &[10, 2, 3], &bytes(59)),
        &["mine.npz` has 59 bytes", "|u1 [10, 2, 3] of x_train", "needs 60"],
    );
    check(npy("|u1", &[10, 2, 3], &bytes(99)), &["has 61 bytes", "needs 60"]);
    check(b"no array".to_vec(), &["is not an NPZ file", "array `x_train`", "\\x93NUMPY"]);
    check(npy("|u1", &[usize::MAX, 2, 3], &bytes(60)), &["more than 4294967296 bytes"]);
    check(npy("|u1", &[1 << 31, 1, 1], &bytes(60)), &["has 60 bytes", "needs 2147483648"]);
}

#[test]
fn floats_must_be_numbers_between_0_and_1() {
    let check = |value: f32, parts: &[&str]| {
        let mut values = vec![0.5_f32; 60];
        values[13] = value;
        let values: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        check_bad(npy("<f4", &[10, 2, 3], &values), ten_labels(), parts);
    };
    check(f32::NAN, &["the value NaN in image 2", "between 0 and 1"]);
    check(f32::INFINITY, &["the value inf in image 2"]);
    check(200.0, &["the value 200 in image 2", "save 0..255 as uint8"]);
    check(-0.1, &["the value -0.1"]);
}

#[test]
fn bad_labels_are_named_with_what_is_wrong() {
    let images = || npy("|u1", &[10, 2, 3], &ten_images());
    check_bad(
        images(),
        npy("<f4", &[10], &[0; 40]),
        &["array `y_train` of `", "has dtype `<f4`", "y.astype(\"int64\")"],
    );
    check_bad(images(), npy("|u1", &[10, 2], &[0; 20]), &["has shape [10, 2]", "argmax(axis=1)"]);
    check_bad(
        images(),
        npy("|i1", &[10], &[0, 1, 0, 1, 0, 1, 255, 1, 0, 1]),
        &["label -1 of image 6 in `y_train of", "0 or more"],
    );
}

#[test]
fn a_missing_array_lists_those_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let images = || npy("|u1", &[10, 2, 3], &ten_images());
    let path = write_npz(folder.path(), &[("y", ten_labels()), ("x", images())]);
    check_error(npz(&path), &["has no array `x_train` (found: x, y)", "numpy.savez"]);
    let arrays = [("x_train", images()), ("y_train", ten_labels()), ("x_test", images())];
    let path = write_npz(folder.path(), &arrays);
    check_error(npz(&path), &["has no array `y_test` (found: x_test, x_train, y_train)"]);
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "x.npz", &npy("|u1", &[1], &[0]));
    check_error(npz(&path), &["x.npz` is not an NPZ file", "numpy.savez"]);
    check_error(npz(folder.path()), &["is a folder: expected an NPZ file"]);
    check_error(npz(&folder.path().join("gone.npz")), &["gone.npz` does not exist"]);
}

#[test]
fn a_damaged_archive_is_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let arrays = [("x_train", npy("|u1", &[10, 2, 3], &ten_images())), ("y_train", ten_labels())];
    let whole = std::fs::read(write_npz(folder.path(), &arrays)).unwrap();
    for length in (0..whole.len()).step_by(7) {
        let path = write(folder.path(), "cut.npz", &whole[..length]);
        check_error(npz(&path), &["cut.npz"]);
    }
    for position in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        // Some of the archive's bytes, such as its dates, mean nothing to us.
        if let Err(error) = try_prepared(npz(&write(folder.path(), "damaged.npz", &damaged))) {
            assert!(error.to_string().contains("damaged.npz"), "{error}");
        }
    }
}
