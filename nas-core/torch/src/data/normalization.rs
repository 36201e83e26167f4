//! Mean and standard deviation of each channel.

use super::images::Images;

/// What a worker subtracts and divides by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Normalization {
    /// Of each channel, in units of 0 to 1.
    pub(super) mean: Vec<f32>,
    /// Of each channel, in units of 0 to 1; 1 for a channel without any variation.
    pub(super) std: Vec<f32>,
}

impl Normalization {
    /// Of some of the images; the standard deviation is that of the population.
    pub(super) fn of(images: &Images, positions: &[usize]) -> Self {
        let [channels, height, width] = images.shape;
        // Whole numbers, so that the result does not depend on the order of the images.
        let mut histograms = vec![[0_u64; 256]; channels];
        for position in positions {
            let planes = images.image(*position).chunks_exact(height * width);
            for (histogram, plane) in histograms.iter_mut().zip(planes) {
                plane.iter().for_each(|level| histogram[usize::from(*level)] += 1);
            }
        }
        let (mean, std) = histograms.iter().map(mean_and_std).unzip();
        Self { mean, std }
    }
}

fn mean_and_std(histogram: &[u64; 256]) -> (f32, f32) {
    let levels =
        || histogram.iter().enumerate().map(|(level, count)| (level as f64 / 255.0, *count as f64));
    let n: f64 = levels().map(|(_, count)| count).sum();
    let mean = levels().map(|(level, count)| level * count).sum::<f64>() / n;
    let variance = levels().map(|(level, count)| (level - mean).powi(2) * count).sum::<f64>() / n;
    let one_level = histogram.iter().filter(|count| **count > 0).count() == 1;
    (mean as f32, if one_level { 1.0 } else { variance.sqrt() as f32 })
}
