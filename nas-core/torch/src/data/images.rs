//! What every format is read into.

use std::collections::BTreeMap;

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
