//! Images to numbers: crop, mirror, cut out, normalise, in one pass over the bytes.

use nas_core::protocol::recipe::Recipe;

use crate::pixels::Pixels;
use crate::random::Random;

/// What is done to training images at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// Black pixels added on each side before a crop of the old size at a random place.
    pub crop_padding: usize,
    /// Whether half of the images are mirrored left to right.
    pub flip: bool,
    /// Side of a square around a random place that is set to zero (the mean colour), clipped at
    /// the borders; 0 is none.
    pub cutout: usize,
}

impl From<&Recipe> for Augmentation {
    fn from(recipe: &Recipe) -> Self {
        let Recipe { crop_padding, flip, cutout, .. } = *recipe;
        Self { crop_padding, flip, cutout }
    }
}

/// Writes augmented, normalised images of one pixels.
#[derive(Debug)]
pub struct Augmenter {
    augmentation: Augmentation,
    height: usize,
    width: usize,
    channels: usize,
    /// For each number of a row of pixels, what turns a byte into a normalised number.
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// What a black pixel becomes, per channel.
    black: Vec<f32>,
}

impl Augmenter {
    /// For images of this pixels.
    #[must_use]
    pub fn new(augmentation: Augmentation, pixels: &Pixels) -> Self {
        let [channels, height, width] = pixels.shape;
        let scale_of = |channel: usize| 1.0 / (255.0 * pixels.std[channel]);
        let shift_of = |channel: usize| -pixels.mean[channel] / pixels.std[channel];
        let row = |value: &dyn Fn(usize) -> f32| {
            (0..width * channels).map(|place| value(place % channels)).collect::<Vec<_>>()
        };
        let black = (0..channels).map(shift_of).collect();
        let (scale, shift) = (row(&scale_of), row(&shift_of));
        Self { augmentation, height, width, channels, scale, shift, black }
    }

    /// Writes one image, `[height, width, channels]`, into `target`, which is as long.
    ///
    /// # Source
    /// DARTS, `utils.py`: random crop of the image padded with black, flip, normalisation, then
    /// cutout, which sets normalised values to zero.
    ///
    /// # Panics
    /// If a slice has another length than an image.
    pub fn write(&self, image: &[u8], random: &mut Random, target: &mut [f32]) {
        let Self { height, width, channels, .. } = *self;
        let Augmentation { crop_padding, flip, cutout } = self.augmentation;
        let row_length = width * channels;
        assert_eq!(image.len(), height * row_length, "an image of another size");
        assert_eq!(target.len(), image.len(), "a target of another size");
        let (top, left) = match crop_padding {
            0 => (0, 0),
            padding => (random.below(2 * padding + 1), random.below(2 * padding + 1)),
        };
        let mirrored = flip && random.coin();
        for (y, row) in target.chunks_exact_mut(row_length).enumerate() {
            match (y + top).checked_sub(crop_padding).filter(|&y| y < height) {
                Some(y) => {
                    let source = &image[y * row_length..(y + 1) * row_length];
                    self.write_row(source, left, row);
                }
                None => self.blacken(row),
            }
            if mirrored {
                mirror(row, channels);
            }
        }
        if cutout > 0 {
            let (y, x) = (random.below(height), random.below(width));
            let half = cutout / 2;
            let around = |centre: usize, extent: usize| {
                centre.saturating_sub(half)..(centre + half).min(extent)
            };
            for y in around(y, height) {
                let columns = around(x, width);
                let row = y * row_length;
                target[row + columns.start * channels..row + columns.end * channels].fill(0.0);
            }
        }
    }

    /// One row, moved by `left` less the padding.
    fn write_row(&self, source: &[u8], left: usize, row: &mut [f32]) {
        let Self { channels, .. } = *self;
        let padding = self.augmentation.crop_padding;
        let first = padding.saturating_sub(left).min(self.width) * channels;
        let start = left.saturating_sub(padding).min(self.width) * channels;
        let end = row.len() - start;
        self.blacken(&mut row[..first]);
        self.blacken(&mut row[end..]);
        let source = &source[start..];
        let numbers = row[first..end].iter_mut().zip(source);
        for ((number, &byte), (scale, shift)) in numbers.zip(self.scale.iter().zip(&self.shift)) {
            *number = f32::from(byte) * scale + shift;
        }
    }

    fn blacken(&self, row: &mut [f32]) {
        for pixel in row.chunks_exact_mut(self.channels) {
            pixel.copy_from_slice(&self.black);
        }
    }
}

fn mirror(row: &mut [f32], channels: usize) {
    row.reverse();
    for pixel in row.chunks_exact_mut(channels) {
        pixel.reverse();
    }
}
