//! Which images come next: both splits in an order of their own each epoch.

use crate::augment::Augmentation;
use crate::batches::{Batch, Batches};
use crate::network::Network;
use crate::pixels::Pixels;
use crate::random::Random;
use tch::TchError;

/// Streams of random numbers: two per epoch, behind those of initialisations.
const ORDERS: u64 = 1 << 32;

/// One split during one epoch. Its order depends on seed and epoch alone, so an epoch that is
/// repeated sees the same images.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    batches: Batches<'a>,
    random: Random,
    next: usize,
    peeked: Option<Batch>,
}

impl<'a> Stream<'a> {
    /// A split at the beginning of an epoch; `which` tells the splits apart.
    pub(super) fn begin(
        pixels: &'a Pixels,
        fraction: f64,
        batch_size: usize,
        augmentation: Augmentation,
        (seed, epoch, which): (u64, u32, u64),
    ) -> Self {
        let mut random = Random::new(seed, ORDERS + 2 * u64::from(epoch) + which);
        let mut batches = Batches::share(pixels, fraction, batch_size, augmentation);
        batches.shuffle(&mut random);
        Self { batches, random, next: 0, peeked: None }
    }

    /// Full batches of one round.
    pub(super) fn len(&self) -> usize {
        self.batches.n_training()
    }

    /// The next batch; after the last one the split is shuffled and begins again.
    pub(super) fn next(&mut self, network: &Network) -> Result<Batch, TchError> {
        match self.peeked.take() {
            Some(batch) => Ok(batch),
            None => self.make(network),
        }
    }

    /// The batch that [`Self::next`] will give.
    pub(super) fn peek(&mut self, network: &Network) -> Result<&Batch, TchError> {
        let batch = match self.peeked.take() {
            Some(batch) => batch,
            None => self.make(network)?,
        };
        Ok(self.peeked.insert(batch))
    }

    fn make(&mut self, network: &Network) -> Result<Batch, TchError> {
        if self.next >= self.len() {
            self.batches.shuffle(&mut self.random);
            self.next = 0;
        }
        self.next += 1;
        self.batches.batch(self.next - 1, network, &mut self.random)
    }
}
