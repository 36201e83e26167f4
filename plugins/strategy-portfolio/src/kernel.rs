//! How alike genotypes are.

use crate::views::{Differences, Views};

/// Differences beyond this count as this.
const LONGEST: usize = 63;

/// What a kernel is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Shares of the views: values, counts, paths; together 1.
    pub(crate) shares: [f64; 3],
    /// The difference of counts at which alikeness has fallen to 1/e.
    pub(crate) counts_length: f64,
    /// Variance of what the views can't explain, as a share of all.
    pub(crate) noise: f64,
}

/// Shares that are tried: each view alone is a part, and so are mixtures.
const SHARES: [[f64; 3]; 7] = [
    [0.0, 0.2, 0.8],
    [0.0, 0.5, 0.5],
    [0.0, 0.8, 0.2],
    [1.0, 0.0, 0.0],
    [0.5, 0.5, 0.0],
    [0.2, 0.4, 0.4],
    [0.6, 0.2, 0.2],
];
const COUNTS_LENGTHS: [f64; 3] = [2.0, 4.0, 8.0];
const NOISES: [f64; 5] = [0.003, 0.01, 0.03, 0.1, 0.3];
/// Lengths of the other views.
const VALUES_LENGTH: f64 = 2.0;
const PATHS_LENGTH: f64 = 3.0;

impl Shape {
    /// Every shape that is tried.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        SHARES.into_iter().flat_map(|shares| {
            // Without a share the length means nothing.
            let n_lengths = if shares[1] > 0.0 { COUNTS_LENGTHS.len() } else { 1 };
            COUNTS_LENGTHS[..n_lengths].iter().flat_map(move |&counts_length| {
                NOISES.map(|noise| Self { shares, counts_length, noise })
            })
        })
    }
}

/// A kernel: a weighted sum of exponentials of the differences, 1 for equal views.
pub(crate) struct Kernel {
    values: Vec<f64>,
    counts: Vec<f64>,
    paths: Vec<f64>,
}

impl Kernel {
    pub(crate) fn new(shape: &Shape) -> Self {
        let table = |share: f64, length: f64| {
            (0..=LONGEST).map(|difference| share * (-(difference as f64) / length).exp()).collect()
        };
        let [values, counts, paths] = shape.shares;
        Self {
            values: table(values, VALUES_LENGTH),
            counts: table(counts, shape.counts_length),
            paths: table(paths, PATHS_LENGTH),
        }
    }

    pub(crate) fn of(&self, differences: Differences) -> f64 {
        let Differences { values, counts, paths } = differences;
        self.values[values.min(LONGEST)]
            + self.counts[counts.min(LONGEST)]
            + self.paths[paths.min(LONGEST)]
    }

    pub(crate) fn between(&self, a: &Views, b: &Views) -> f64 {
        self.of(a.differences(b))
    }
}
