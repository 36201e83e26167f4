//! Folders of images.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, Rgba, RgbaImage};
use nas_core::protocol::data::{DataConfig, DataFormat};

use super::{check_error, class_counts, config, content, pixels, prepared, write};

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A grey image of 3×2 pixels (width × height).
fn grey(image: usize) -> GrayImage {
    GrayImage::from_raw(3, 2, pixels(image, 6)).unwrap()
}

fn folder(path: &Path) -> DataConfig {
    config(DataFormat::ImageFolder, path)
}

/// Five grey images each of `cat` and `dog`.
fn write_grey(root: &Path) {
    for image in 0..10 {
        let class = ["cat", "dog"][image % 2];
        let name = format!("{class}/{image}.png");
        write(root, &name, &encoded(grey(image), ImageFormat::Png));
    }
}

fn expected(images: std::ops::Range<usize>) -> Vec<(i64, Vec<u8>)> {
    let mut all: Vec<_> = images.map(|image| ((image % 2) as i64, pixels(image, 6))).collect();
    all.sort();
    all
}

#[test]
fn class_folders_round_trip() {
    let root = tempfile::tempdir().unwrap();
    write_grey(root.path());
    write(root.path(), "README.md", b"beside the classes");
    write(root.path(), "cat/.DS_Store", b"hidden");
    let made = prepared(folder(root.path()));
    assert_eq!(made.summary.shape, [1, 2, 3]);
    assert_eq!(made.summary.classes, ["cat", "dog"]);
    assert_eq!(content(&[&made.train, &made.validation, &made.holdout]), expected(0..10));
}

#[test]
fn the_test_folder_is_the_holdout_and_the_kind_is_told_by_the_bytes() {
    let root = tempfile::tempdir().unwrap();
    write_grey(&root.path().join("train"));
    write(root.path(), "test/dog/named.jpg", &encoded(grey(11), ImageFormat::Pnm));
    let made = prepared(folder(root.path()));
    assert_eq!(content(&[&made.train, &made.validation]), expected(0..10));
    assert_eq!(class_counts(&[&made.holdout], 2), [0, 1]);
}

#[test]
fn one_colour_image_makes_all_rgb() {
    let root = tempfile::tempdir().unwrap();
    write_grey(root.path());
    let red = RgbaImage::from_pixel(3, 2, Rgba([250, 10, 20, 0]));
    write(root.path(), "dog/red.png", &encoded(red, ImageFormat::Png));
    let made = prepared(folder(root.path()));
    assert_eq!(made.summary.shape, [3, 2, 3]);
    let all = content(&[&made.train, &made.validation, &made.holdout]);
    let red = [[250; 6], [10; 6], [20; 6]].concat();
    assert!(all.contains(&(1, red)));
    assert!(all.contains(&(0, pixels(0, 6).repeat(3))));
}

#[test]
fn jpegs_are_close() {
    let root = tempfile::tempdir().unwrap();
    for image in 0..6 {
        let name = format!("{}/{image}.jpeg", image % 2);
        let plain = RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
        write(root.path(), &name, &encoded(plain, ImageFormat::Jpeg));
    }
    let made = prepared(folder(root.path()));
    let planes = made.train.images.chunks_exact(64).zip([200, 100, 50].into_iter().cycle());
    for (plane, level) in planes {
        assert!(plane.iter().all(|pixel| pixel.abs_diff(level) <= 3), "{plane:?}");
    }
    assert_eq!(made.summary.duplicates_across_splits, 2);
    assert_eq!(made.train.std, [1.0; 3], "a channel without variation has deviation 1");
}

#[test]
fn bad_images_are_named_with_what_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    write_grey(root.path());
    let odd = encoded(GrayImage::new(2, 2), ImageFormat::Png);
    write(root.path(), "dog/odd.png", &odd);
    check_error(
        folder(root.path()),
        &["dog/odd.png` has 2×2", "cat/0.png` has 3×2 (width×height)", "resize"],
    );
    write(root.path(), "dog/odd.png", &odd[..odd.len() / 2]);
    check_error(folder(root.path()), &["dog/odd.png"]);
    let whole = encoded(grey(1), ImageFormat::Png);
    write(root.path(), "dog/odd.png", &whole[..whole.len() - 20]);
    check_error(folder(root.path()), &["dog/odd.png` is not a readable image", "PNG, JPEG"]);
    write(root.path(), "dog/odd.png", b"words, not pixels");
    check_error(folder(root.path()), &["dog/odd.png` is not a readable image", "remove it"]);
}

#[test]
fn folders_that_would_be_ignored_are_refused() {
    let root = tempfile::tempdir().unwrap();
    write_grey(root.path());
    write(root.path(), "dog/puppies/1.png", b"");
    check_error(folder(root.path()), &["dog/puppies` is a folder: expected an image, directly"]);

    let root = tempfile::tempdir().unwrap();
    write_grey(&root.path().join("train"));
    write(root.path(), "val/cat/1.png", b"");
    check_error(folder(root.path()), &["val` is a folder beside `train/` or `test/`", "rename it"]);
}

#[test]
fn classes_must_be_there_and_have_images() {
    let root = tempfile::tempdir().unwrap();
    check_error(
        folder(root.path()),
        &["is a folder without folders", "one folder of images per class"],
    );
    write(root.path(), "cat/1.png", &encoded(grey(1), ImageFormat::Png));
    check_error(folder(root.path()), &["1 training images in 1 classes"]);
    std::fs::create_dir(root.path().join("dog")).unwrap();
    check_error(folder(root.path()), &["class folder `", "dog` has no image"]);
    write(root.path(), "dog/1.png", &encoded(grey(2), ImageFormat::Png));
    check_error(
        folder(root.path()),
        &["the holdout split of `", "would be empty: 2 images in 2 classes", "add images"],
    );

    let root = tempfile::tempdir().unwrap();
    write_grey(&root.path().join("train"));
    write(root.path(), "test/cow/1.png", &encoded(grey(1), ImageFormat::Png));
    check_error(folder(root.path()), &["test/cow` is no class", "(known: cat, dog)"]);
    std::fs::rename(root.path().join("train"), root.path().join("test/train")).unwrap();
    check_error(folder(root.path()), &["train` does not exist"]);
}
