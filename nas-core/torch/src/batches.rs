//! A split as batches of tensors.

use tch::{TchError, Tensor};

use crate::augment::{Augmentation, Augmenter};
use crate::network::Network;
use crate::pixels::Pixels;
use crate::random::Random;

/// Makes batches of one split for one network.
///
/// Bytes are gathered, augmented and normalised in one pass on the processor, straight into the
/// network's memory layout: about 0.1 ms for 64 images of 32×32.
#[derive(Debug)]
pub struct Batches<'a> {
    source: &'a Pixels,
    augmenter: Augmenter,
    batch_size: usize,
    order: Vec<usize>,
    pixels: Vec<f32>,
    labels: Vec<i64>,
}

/// One batch on the network's device.
#[derive(Debug)]
pub struct Batch {
    /// Normalised images, `[batch, channels, height, width]`.
    pub images: Tensor,
    /// Class numbers, `[batch]`.
    pub labels: Tensor,
}

impl<'a> Batches<'a> {
    /// All images of a split, in order and unchanged.
    #[must_use]
    pub fn all(source: &'a Pixels, batch_size: usize) -> Self {
        Self::of(source, (0..source.n_images()).collect(), batch_size, Augmentation::default())
    }

    /// The first images of a split: the same ones in every trial, and of a smaller share a subset.
    /// (Prepared splits are in random order, so any beginning has all classes.)
    ///
    /// At least one image is used, whatever the share.
    #[must_use]
    pub fn share(
        source: &'a Pixels,
        fraction: f64,
        batch_size: usize,
        augmentation: Augmentation,
    ) -> Self {
        let used = (source.n_images() as f64 * fraction).round() as usize;
        let order = (0..used.clamp(1.min(source.n_images()), source.n_images())).collect();
        Self::of(source, order, batch_size, augmentation)
    }

    fn of(
        source: &'a Pixels,
        order: Vec<usize>,
        batch_size: usize,
        augmentation: Augmentation,
    ) -> Self {
        Self {
            source,
            augmenter: Augmenter::new(augmentation, source),
            batch_size: batch_size.max(1),
            order,
            pixels: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Brings the images into a new random order.
    pub fn shuffle(&mut self, random: &mut Random) {
        random.shuffle(&mut self.order);
    }

    /// How many images are used.
    #[must_use]
    pub fn n_images(&self) -> usize {
        self.order.len()
    }

    /// How many batches there are when the last, incomplete one counts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many batches an epoch of training has: an incomplete last batch is left out, unless it
    /// is the only one, since batch normalisation is unreliable on a few images.
    #[must_use]
    pub fn n_training(&self) -> usize {
        (self.order.len() / self.batch_size).max(usize::from(!self.is_empty()))
    }

    /// Makes the batch of this number.
    ///
    /// # Errors
    /// What libtorch says, in want of memory for instance.
    /// # Panics
    /// If there is no such batch.
    pub fn batch(
        &mut self,
        number: usize,
        network: &Network,
        random: &mut Random,
    ) -> Result<Batch, TchError> {
        let start = number * self.batch_size;
        let chosen = &self.order[start..(start + self.batch_size).min(self.order.len())];
        let [channels, height, width] = self.source.shape;
        let image_size = channels * height * width;
        self.pixels.resize(chosen.len() * image_size, 0.0);
        self.labels.clear();
        for (&index, target) in chosen.iter().zip(self.pixels.chunks_exact_mut(image_size)) {
            self.augmenter.write(self.source.image(index), random, target);
            self.labels.push(self.source.labels[index]);
        }
        let size = [chosen.len(), height, width, channels].map(|extent| extent as i64);
        let images = Tensor::f_from_slice(&self.pixels)?.f_view(size)?.f_permute([0, 3, 1, 2])?;
        let labels = Tensor::f_from_slice(&self.labels)?;
        Ok(Batch {
            images: network.lay_out(&images)?,
            labels: labels.f_to_device(network.options().device)?,
        })
    }
}
