//! What is planted.
//!
//! An image has a group of channels for each edge. In every channel of a group, all alike, each
//! class is either bright or dark, half of the classes each, and there is noise on top. But only in
//! one channel of the group, the planted one, the class is the image's: in the others it is drawn
//! anew for every image and channel. So
//!
//! - no channel differs from another in distribution; only together with labels they do;
//! - given the label, groups are independent, and so are the channels of a group. Whatever other
//!   edges do, the planted operation adds evidence about the label, another single channel adds
//!   none at all, and `skip`, the mean of all channels, has the same evidence under more noise. The
//!   planted operation is the best one of each edge by construction, whatever the others are.
//!
//! Which channel is planted, and which classes are bright, is drawn for every edge and seed.

use nas_plugin_api::graph::Shape;
use nas_torch::pixels::Pixels;
use nas_torch::random::Random;

/// Edges, each with a group of channels of its own.
pub(crate) const N_EDGES: usize = 16;
/// Different channels in a group.
pub(crate) const N_CHANNELS: usize = 7;
/// How often a group's channels are repeated, one round after the other: one in four channels is
/// one round.
pub(crate) const N_COPIES: usize = 4;
/// Classes.
pub(crate) const N_CLASSES: usize = 10;
/// Side of an image.
const SIDE: usize = 2;
/// Standard deviation of the noise, where bright is 1 and dark is −1.
const NOISE: f64 = 1.5;
/// Bytes for the difference between bright and the mean: what lies five deviations away still fits.
const BRIGHT: f64 = 14.0;

/// Seeds over which recovery is averaged.
pub(crate) const SEEDS: [u64; 5] = [0, 1, 2, 3, 4];

/// One instance.
pub(crate) struct Problem {
    /// Seed of everything random, in the searches as well.
    pub(crate) seed: u64,
    /// The planted channel of every edge.
    pub(crate) planted: Vec<usize>,
    /// For every edge, whether a class is bright.
    bright: Vec<Vec<bool>>,
}

impl Problem {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let planted = (0..N_EDGES).map(|_| random.below(N_CHANNELS)).collect();
        let mut half = || {
            let mut classes: Vec<bool> = (0..N_CLASSES).map(|class| class % 2 == 0).collect();
            random.shuffle(&mut classes);
            classes
        };
        let bright = (0..N_EDGES).map(|_| half()).collect();
        Self { seed, planted, bright }
    }

    pub(crate) fn shape() -> Shape {
        Shape::from([N_EDGES * N_COPIES * N_CHANNELS, SIDE, SIDE])
    }

    /// Images that no other split of this problem has.
    pub(crate) fn images(&self, split: u64, n_images: usize) -> Pixels {
        let mut random = Random::new(self.seed, 2 + split);
        let n_channels = N_EDGES * N_COPIES * N_CHANNELS;
        let mut bytes = Vec::with_capacity(n_images * n_channels * SIDE * SIDE);
        let mut labels = Vec::with_capacity(n_images);
        for _ in 0..n_images {
            let label = random.below(N_CLASSES);
            labels.push(label as i64);
            let mut pixel = Vec::with_capacity(n_channels);
            for (planted, bright) in self.planted.iter().zip(&self.bright) {
                let mut group = Vec::with_capacity(N_CHANNELS);
                for channel in 0..N_CHANNELS {
                    let other = random.below(N_CLASSES);
                    let class = if channel == *planted { label } else { other };
                    let level = if bright[class] { 1.0 } else { -1.0 };
                    let level = level + NOISE * random.normal();
                    group.push((128.0 + BRIGHT * level).round().clamp(0.0, 255.0) as u8);
                }
                (0..N_COPIES).for_each(|_| pixel.extend(&group));
            }
            (0..SIDE * SIDE).for_each(|_| bytes.extend(&pixel));
        }
        let deviation = (BRIGHT * (1.0 + NOISE * NOISE).sqrt() / 255.0) as f32;
        let (mean, std) = (vec![128.0 / 255.0; n_channels], vec![deviation; n_channels]);
        Pixels { bytes, labels, shape: [n_channels, SIDE, SIDE], mean, std }
    }

    /// Share of the edges whose operation, by its number, reads the planted channel.
    pub(crate) fn recovered(&self, operations: &[usize]) -> f64 {
        assert_eq!(operations.len(), N_EDGES);
        let pairs = self.planted.iter().zip(operations);
        pairs.filter(|(planted, found)| planted == found).count() as f64 / N_EDGES as f64
    }
}
