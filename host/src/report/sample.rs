//! A few accuracies, and what may be said of so few.

use std::fmt;

use crate::output::number::{percent, points};

/// Quantiles of Student's t at 97.5 %, for 1, 2, … degrees of freedom; the last one for more.
const T: [f64; 10] = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/// Mean and spread of a few accuracies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    n: usize,
    pub(super) mean: f64,
    /// Of the sample (n − 1).
    deviation: f64,
}

impl Sample {
    /// `None` for fewer than two.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < 2 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { n, mean, deviation: (squares / (n - 1) as f64).sqrt() })
    }

    /// How far above the mean one more of the same kind is in 1 case of 40 (prediction interval).
    pub(super) fn limit_of_one(&self) -> f64 {
        quantile(self.n - 1) * self.deviation * (1.0 + 1.0 / self.n as f64).sqrt()
    }

    /// How far apart the means of two such samples are in 1 case of 40, where they differ by chance
    /// alone: Welch's test, with the fewest degrees of freedom that it can have. A standard error
    /// below `least` is no news from so few.
    ///
    /// # Source
    /// Welch. The generalization of "Student's" problem, Biometrika 34, 1947.
    pub(super) fn limit_against(&self, other: &Self, least: f64) -> f64 {
        let error = |sample: &Self| sample.deviation.powi(2) / sample.n as f64;
        let standard_error = (error(self) + error(other)).sqrt().max(least);
        quantile(self.n.min(other.n) - 1) * standard_error
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, mean, deviation } = self;
        write!(out, "{} ± {} (mean and deviation of {n})", percent(*mean), points(*deviation))
    }
}

fn quantile(degrees: usize) -> f64 {
    T[degrees.clamp(1, T.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_counts_only_above_the_noise() {
        let again = Sample::of(&[0.98, 0.99, 0.985]).expect("three");
        let close = Sample::of(&[0.98, 0.97, 0.98]).expect("three");
        let far = Sample::of(&[0.90, 0.91, 0.92]).expect("three");
        assert!(again.mean - close.mean < again.limit_against(&close, 0.001));
        assert!(again.mean - far.mean > again.limit_against(&far, 0.001));
        assert!((again.limit_of_one() - 4.30 * 0.005 * (4.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(Sample::of(&[0.9]), None);
    }
}
