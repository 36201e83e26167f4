//! Gaussian process regression on genotypes.
//!
//! # Source
//! Rasmussen, Williams. Gaussian processes for machine learning, 2006: algorithm 2.1, equation 5.8.

use crate::kernel::{Kernel, Seen, Shape};
use crate::views::Differences;

/// A process that was told observations.
pub(crate) struct GaussianProcess {
    kernel: Kernel,
    /// The lower Cholesky factor of the kernel matrix with noise, row by row.
    factor: Factor,
    /// The inverse of that matrix, times the observations less their prior means.
    weights: Vec<f64>,
    /// The variance that makes the observations most likely.
    variance: f64,
    /// How likely the observations are, as a logarithm, at that variance and up to a constant.
    pub(crate) evidence: f64,
}

/// A lower triangular matrix: row `i` has `i + 1` numbers.
struct Factor(Vec<Vec<f64>>);

/// What is predicted of a genotype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prediction {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

/// Differences of the views of all pairs of two lists, computed once for all shapes.
pub(crate) struct Pairs(Vec<Vec<Differences>>);

impl Pairs {
    /// By one of `a` and one of `b`.
    pub(crate) fn of(a: &[Seen], b: &[Seen]) -> Self {
        let row = |a: &Seen| b.iter().map(|b| a.views.differences(&b.views)).collect();
        Self(a.iter().map(row).collect())
    }
}

impl GaussianProcess {
    /// A process of this shape. `pairs` are those of `seen` with itself; `targets` have about mean 0
    /// and deviation 1. Absent where the matrix is not positive.
    pub(crate) fn new(
        shape: &Shape,
        seen: &[Seen],
        pairs: &Pairs,
        targets: &[f64],
    ) -> Option<Self> {
        let kernel = Kernel::new(shape);
        let n = targets.len();
        let between =
            |i: usize, j: usize| kernel.of(pairs.0[i][j], &seen[i].scores, &seen[j].scores);
        let factor = Factor::of(n, shape.noise, between)?;
        let left: Vec<f64> = targets
            .iter()
            .zip(seen)
            .map(|(target, one)| target - kernel.mean(&one.scores))
            .collect();
        let half = factor.solve(&left);
        let variance = half.iter().map(|x| x * x).sum::<f64>() / n.max(1) as f64;
        let log_determinant: f64 = (0..n).map(|i| factor.0[i][i].ln()).sum();
        let evidence = -0.5 * n as f64 * variance.ln() - log_determinant;
        let weights = factor.solve_transposed(&half);
        evidence.is_finite().then_some(Self { kernel, factor, weights, variance, evidence })
    }

    /// What is thought of the observed genotypes themselves.
    pub(crate) fn means(&self, seen: &[Seen], pairs: &Pairs) -> Vec<f64> {
        let mean = |(i, one): (usize, &Seen)| {
            let told = self.weights.iter().zip(seen).zip(&pairs.0[i]);
            let known: f64 = told
                .map(|((weight, other), &d)| weight * self.kernel.of(d, &one.scores, &other.scores))
                .sum();
            self.kernel.mean(&one.scores) + known
        };
        seen.iter().enumerate().map(mean).collect()
    }

    /// Predictions of what was not observed.
    ///
    /// # Shapes
    /// `seen` as it was told, `pairs` those of `seen` with `asked`; the result has one prediction for
    /// each of `asked`.
    pub(crate) fn predict(&self, seen: &[Seen], asked: &[Seen], pairs: &Pairs) -> Vec<Prediction> {
        let mut means: Vec<f64> = asked.iter().map(|one| self.kernel.mean(&one.scores)).collect();
        let mut explained = vec![0.0; asked.len()];
        // One row for each observation, so that the inner loops run over all that is asked.
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(seen.len());
        for (i, (one, weight)) in seen.iter().zip(&self.weights).enumerate() {
            let between = |(asked, &d): (&Seen, _)| self.kernel.of(d, &one.scores, &asked.scores);
            let mut row: Vec<f64> = asked.iter().zip(&pairs.0[i]).map(between).collect();
            means.iter_mut().zip(&row).for_each(|(mean, k)| *mean += weight * k);
            for (before, &factor) in rows.iter().zip(&self.factor.0[i]) {
                row.iter_mut().zip(before).for_each(|(x, b)| *x -= factor * b);
            }
            let scale = 1.0 / self.factor.0[i][i];
            row.iter_mut().for_each(|x| *x *= scale);
            explained.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x * x);
            rows.push(row);
        }
        let prediction = |((mean, explained), one): ((f64, f64), &Seen)| {
            let share = (self.kernel.variance(&one.scores) - explained).max(1e-9);
            Prediction { mean, deviation: (self.variance * share).sqrt() }
        };
        means.into_iter().zip(explained).zip(asked).map(prediction).collect()
    }
}

impl Factor {
    /// The factor of a matrix whose lower half is given, with noise added to its diagonal.
    fn of(n: usize, noise: f64, between: impl Fn(usize, usize) -> f64) -> Option<Self> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(n);
        for i in 0..n {
            let mut row = Vec::with_capacity(i + 1);
            for (j, other) in rows.iter().enumerate() {
                let done: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
                row.push((between(i, j) - done) / other[j]);
            }
            let done: f64 = row.iter().map(|a| a * a).sum();
            let square = between(i, i) + noise - done;
            if square <= 0.0 || !square.is_finite() {
                return None;
            }
            row.push(square.sqrt());
            rows.push(row);
        }
        Some(Self(rows))
    }

    /// `x` of `factor · x = b`.
    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = Vec::with_capacity(b.len());
        for (row, &b) in self.0.iter().zip(b) {
            let done: f64 = row.iter().zip(&x).map(|(a, x)| a * x).sum();
            x.push((b - done) / row[x.len()]);
        }
        x
    }

    /// `x` of `factorᵀ · x = b`.
    fn solve_transposed(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for i in (0..x.len()).rev() {
            x[i] /= self.0[i][i];
            let (done, value) = (&self.0[i][..i], x[i]);
            x[..i].iter_mut().zip(done).for_each(|(x, a)| *x -= a * value);
        }
        x
    }
}

/// How much better than `best` something is expected to be.
///
/// # Source
/// Jones, Schonlau, Welch. Efficient global optimization of expensive black-box functions. Journal
/// of Global Optimization 13, 1998, equation 15.
pub(crate) fn expected_improvement(prediction: Prediction, best: f64) -> f64 {
    let Prediction { mean, deviation } = prediction;
    let z = (mean - best) / deviation;
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    deviation * (z * normal_share(z) + density)
}

/// The share of a standard normal distribution below `z`, to 1e-7.
///
/// # Source
/// Abramowitz, Stegun. Handbook of mathematical functions, 1964, 26.2.17.
fn normal_share(z: f64) -> f64 {
    const B: [f64; 5] =
        [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let sum = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let above = sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    if z < 0.0 { above } else { 1.0 - above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_shares_are_those_of_the_tables() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_7), (-2.0, 0.022_750_1)] {
            assert!((normal_share(z) - share).abs() < 2e-7);
        }
    }

    #[test]
    fn a_factor_solves_its_matrix() {
        let matrix = [[4.0, 2.0, 0.5], [2.0, 3.0, 1.0], [0.5, 1.0, 2.0]];
        let factor = Factor::of(3, 0.5, |i, j| matrix[i][j]).unwrap();
        let b = [1.0, -2.0, 0.5];
        let x = factor.solve_transposed(&factor.solve(&b));
        for i in 0..3 {
            let product: f64 = (0..3).map(|j| matrix[i][j] * x[j]).sum::<f64>() + 0.5 * x[i];
            assert!((product - b[i]).abs() < 1e-12);
        }
    }

    #[test]
    fn nothing_is_expected_of_what_is_surely_worse() {
        let surely_worse = Prediction { mean: -1.0, deviation: 1e-3 };
        let unsure = Prediction { mean: -1.0, deviation: 1.0 };
        assert!(expected_improvement(surely_worse, 0.0) < 1e-12);
        assert!((expected_improvement(unsure, 0.0) - 0.083_315_5).abs() < 1e-6);
    }
}
