//! A split's pixels in the order in which a convolution wants them.

use crate::data::Split;
use crate::random::Random;

/// The stream of random numbers that labels are shuffled with.
const LABELS: u64 = 0x1abe15;

/// Labelled images: bytes, channels innermost, so that one image is one piece of memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// `[n_images, height, width, channels]`, row-major.
    pub bytes: Vec<u8>,
    /// One class number per image.
    pub labels: Vec<i64>,
    /// Shape of one image: channels, height, width.
    pub shape: [usize; 3],
    /// Mean of each channel over the training split, 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel over the training split, above 0.
    pub std: Vec<f32>,
}

impl Pixels {
    /// How many images there are.
    #[must_use]
    pub fn n_images(&self) -> usize {
        self.labels.len()
    }

    /// One image, `[height, width, channels]`.
    ///
    /// # Panics
    /// If there is no such image.
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.shape.iter().product::<usize>();
        &self.bytes[index * size..(index + 1) * size]
    }
}

impl Pixels {
    /// Gives the images each other's labels.
    pub fn shuffle_labels(&mut self, seed: u64) {
        Random::new(seed, LABELS).shuffle(&mut self.labels);
    }
}

impl From<Split> for Pixels {
    fn from(split: Split) -> Self {
        let Split { images, shape: [_, channels, height, width], labels, mean, std } = split;
        let plane = height * width;
        let mut bytes = vec![0; images.len()];
        let images = images.chunks_exact(channels * plane);
        for (source, target) in images.zip(bytes.chunks_exact_mut(channels * plane)) {
            for (channel, source) in source.chunks_exact(plane).enumerate() {
                for (pixel, &byte) in target.chunks_exact_mut(channels).zip(source) {
                    pixel[channel] = byte;
                }
            }
        }
        Self { bytes, labels, shape: [channels, height, width], mean, std }
    }
}
