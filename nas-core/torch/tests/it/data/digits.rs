//! The built-in digits, and splitting in general.

use nas_core::protocol::data::{DataConfig, DataFormat};

use super::{check_error, class_counts, config, content, prepared};

fn digits() -> DataConfig {
    DataConfig { path: None, ..config(DataFormat::Digits, "".as_ref()) }
}

#[test]
fn all_1797_are_there_with_the_published_class_counts() {
    let made = prepared(digits());
    let splits = [&made.train, &made.validation, &made.holdout];
    assert_eq!(made.summary.shape, [1, 8, 8]);
    assert_eq!(made.summary.classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(class_counts(&splits, 10), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!(content(&splits).len(), 1797);
    assert_eq!(splits.map(|split| split.shape), [[1150, 1, 8, 8], [288, 1, 8, 8], [359, 1, 8, 8]]);
    assert_eq!(made.summary.train.images, 1150);
    assert_eq!(made.summary.duplicates_across_splits, 0);
}

#[test]
fn sixteen_becomes_255_and_the_first_image_is_a_zero() {
    let made = prepared(digits());
    let all = content(&[&made.train, &made.validation, &made.holdout]);
    let first_row = [0, 0, 5, 13, 9, 1, 0, 0].map(|grey: u16| ((grey * 255 + 8) / 16) as u8);
    assert_eq!(
        all.iter().filter(|(label, image)| *label == 0 && image[..8] == first_row).count(),
        1
    );
    assert_eq!(all.iter().flat_map(|(_, image)| image).max(), Some(&255));
}

#[test]
fn mean_and_deviation_are_those_of_the_training_images() {
    let made = prepared(digits());
    let values: Vec<f64> =
        made.train.images.iter().map(|level| f64::from(*level) / 255.0).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance =
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    for split in [&made.train, &made.validation, &made.holdout] {
        assert!((f64::from(split.mean[0]) - mean).abs() < 1e-6);
        assert!((f64::from(split.std[0]) - variance.sqrt()).abs() < 1e-6);
    }
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_seed_others() {
    let sums = |seed| {
        let made = prepared(DataConfig { split_seed: seed, ..digits() }).summary;
        [made.train.sha256, made.validation.sha256, made.holdout.sha256]
    };
    assert_eq!(sums(3), sums(3));
    assert!(sums(3).iter().zip(sums(4)).all(|(three, four)| *three != four));
}

#[test]
fn the_limit_leaves_the_holdout_alone() {
    let made = prepared(DataConfig { limit: Some(50), ..digits() });
    assert_eq!((made.summary.train.images, made.summary.validation.images), (40, 10));
    assert_eq!(content(&[&made.holdout]), content(&[&prepared(digits()).holdout]));
}

#[test]
fn settings_that_leave_a_split_empty_are_refused() {
    check_error(
        DataConfig { limit: Some(9), ..digits() },
        &["data.limit = 9", "fewer than the 10 classes of `digits`"],
    );
    check_error(
        DataConfig { limit: Some(10), ..digits() },
        &["the validation split of `digits` would be empty", "raise `data.limit`"],
    );
    check_error(
        DataConfig { validation_fraction: 1.0, ..digits() },
        &["data.validation_fraction = 1", "between 0 and 1"],
    );
    check_error(
        DataConfig { holdout_fraction: f64::NAN, ..digits() },
        &["data.holdout_fraction = NaN"],
    );
}

#[test]
fn a_path_is_refused() {
    check_error(
        config(DataFormat::Digits, "my/digits".as_ref()),
        &["`digits` is built in", "data.path = \"my/digits\""],
    );
}
