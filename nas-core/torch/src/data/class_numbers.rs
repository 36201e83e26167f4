//! Sources that name their classes by number only.

use std::collections::{BTreeMap, BTreeSet};

use super::DataError;
use super::images::{Images, Source};

/// Images with the labels as the files have them.
pub(super) struct NumberedImages {
    /// `[channels, height, width]`.
    pub(super) shape: [usize; 3],
    /// `[n, channels, height, width]`.
    pub(super) pixels: Vec<u8>,
    /// Any numbers, one per image.
    pub(super) labels: Vec<i64>,
    /// How errors call the labels' file or array.
    pub(super) labels_from: String,
}

impl NumberedImages {
    fn with_classes(self, classes: &ClassNumbers) -> Result<Images, DataError> {
        let labels = classes.indices(&self.labels, &self.labels_from)?;
        Ok(Images { shape: self.shape, pixels: self.pixels, labels })
    }
}

/// Makes classes of the numbers that occur in training.
///
/// # Errors
/// `LabelOutOfRange` for a negative label, and for a test label that training does not have.
pub(super) fn source(
    name: String,
    train: NumberedImages,
    test: Option<NumberedImages>,
) -> Result<Source, DataError> {
    let classes = ClassNumbers::of(&train.labels, &train.labels_from)?;
    Ok(Source {
        name,
        classes: classes.0.keys().map(i64::to_string).collect(),
        train: train.with_classes(&classes)?,
        test: test.map(|test| test.with_classes(&classes)).transpose()?,
    })
}

/// The numbers that occur in training, in order, and the class each makes. So data that count from
/// 1, as EMNIST's letters do, make no empty class.
struct ClassNumbers(BTreeMap<i64, u32>);

impl ClassNumbers {
    fn of(labels: &[i64], from: &str) -> Result<Self, DataError> {
        // In most data sets a negative number means "unknown".
        if let Some(index) = labels.iter().position(|label| *label < 0) {
            return Err(DataError::LabelOutOfRange {
                from: from.to_owned(),
                index,
                label: labels[index],
                expected: "0 or more; leave images without a class out".to_owned(),
            });
        }
        let distinct: BTreeSet<i64> = labels.iter().copied().collect();
        Ok(Self(distinct.into_iter().zip(0..).collect()))
    }

    fn indices(&self, labels: &[i64], from: &str) -> Result<Vec<u32>, DataError> {
        let index_of = |(index, label): (usize, &i64)| {
            self.0.get(label).copied().ok_or_else(|| DataError::LabelOutOfRange {
                from: from.to_owned(),
                index,
                label: *label,
                expected: self.expected(),
            })
        };
        labels.iter().enumerate().map(index_of).collect()
    }

    fn expected(&self) -> String {
        match (self.0.first_key_value(), self.0.last_key_value()) {
            (Some((first, _)), Some((last, _))) => {
                format!("one of the {} training labels, {first} to {last}", self.0.len())
            }
            _ => "a training label, but there are none".to_owned(),
        }
    }
}
