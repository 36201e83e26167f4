//! What every format is read into.

use std::collections::BTreeMap;

use nas_core::protocol::data::{DataConfig, DataFormat};

use super::{DataError, cifar_binary, digits, idx, image_folder, npz};

/// Most bytes that one source may hold, unpacked: the preparing worker keeps them in memory.
pub(super) const LARGEST_SOURCE_BYTES: u64 = 4 << 30;

/// Images of one shape with their classes.
#[derive(Debug)]
pub(super) struct Images {
    /// `[channels, height, width]`.
    pub(super) shape: [usize; 3],
    /// `[n, channels, height, width]`, row-major, 0 to 255.
    pub(super) pixels: Vec<u8>,
    /// Index into the source's classes, one per image.
    pub(super) labels: Vec<u32>,
}

impl Images {
    /// How many images there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The share of the class that most of these images have.
    pub(super) fn most_frequent(&self, positions: &[usize]) -> f64 {
        let mut counts = BTreeMap::<u32, usize>::new();
        positions
            .iter()
            .for_each(|position| *counts.entry(self.labels[*position]).or_default() += 1);
        counts.into_values().max().unwrap_or(0) as f64 / positions.len().max(1) as f64
    }

    /// The pixels of one image, `[channels, height, width]`.
    pub(super) fn image(&self, index: usize) -> &[u8] {
        let size = self.shape.iter().product::<usize>();
        &self.pixels[index * size..][..size]
    }
}

/// A whole data set.
#[derive(Debug)]
pub(super) struct Source {
    /// The path, or the name of built-in data: how errors call it.
    pub(super) name: String,
    /// The classes' names, or numbers where they have none.
    pub(super) classes: Vec<String>,
    /// Everything that may be trained on.
    pub(super) train: Images,
    /// The source's own test set.
    pub(super) test: Option<Images>,
}

/// Reads the whole source that a configuration names.
///
/// # Errors
/// Any [`DataError`] of the format; also `NoPixels` and `TestShape`.
pub(super) fn read(config: &DataConfig) -> Result<Source, DataError> {
    let path = |format, expected| {
        config.path.as_deref().ok_or(DataError::PathMissing { format, expected })
    };
    let source = match config.format {
        DataFormat::Digits => match &config.path {
            None => digits::read(),
            Some(path) => return Err(DataError::PathUnwanted { path: path.clone() }),
        },
        DataFormat::Idx => idx::read(path("idx", idx::EXPECTED)?)?,
        DataFormat::CifarBinary => {
            cifar_binary::read(path("cifar-binary", cifar_binary::EXPECTED)?)?
        }
        DataFormat::Npz => npz::read(path("npz", npz::EXPECTED)?)?,
        DataFormat::ImageFolder => {
            image_folder::read(path("image-folder", image_folder::EXPECTED)?)?
        }
    };
    if source.train.shape.contains(&0) {
        return Err(DataError::NoPixels { from: source.name, shape: source.train.shape });
    }
    match &source.test {
        Some(test) if test.shape != source.train.shape => Err(DataError::TestShape {
            from: source.name,
            found: test.shape,
            expected: source.train.shape,
        }),
        _ => Ok(source),
    }
}
