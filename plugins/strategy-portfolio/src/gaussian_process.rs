//! Gaussian process regression on views of genotypes.
//!
//! # Source
//! Rasmussen, Williams. Gaussian processes for machine learning, 2006: algorithm 2.1, equation 5.8.

use crate::kernel::{Kernel, Shape};
use crate::views::{Differences, Views};

/// A process that was told observations.
pub(crate) struct GaussianProcess {
    kernel: Kernel,
    /// The lower Cholesky factor of the kernel matrix with noise, row by row.
    factor: Factor,
    /// The inverse of that matrix, times the observations.
    weights: Vec<f64>,
    /// The variance that makes the observations most likely.
    variance: f64,
}

/// A lower triangular matrix: row `i` has `i + 1` numbers.
struct Factor(Vec<Vec<f64>>);

/// What is predicted of a genotype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prediction {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

impl GaussianProcess {
    /// A process of this shape. `targets` have mean 0; absent where the matrix is not positive.
    pub(crate) fn new(shape: &Shape, seen: &[&Views], targets: &[f64]) -> Option<Self> {
        let kernel = Kernel::new(shape);
        let between = |i: usize, j: usize| kernel.between(seen[i], seen[j]);
        let factor = Factor::of(targets.len(), shape.noise, between)?;
        let half = factor.solve(targets);
        let variance = half.iter().map(|x| x * x).sum::<f64>() / targets.len().max(1) as f64;
        let weights = factor.solve_transposed(&half);
        Some(Self { kernel, factor, weights, variance })
    }

    /// Predictions of what was not observed.
    ///
    /// # Shapes
    /// `seen` as it was told; the result has one prediction for each of `asked`.
    pub(crate) fn predict(&self, seen: &[&Views], asked: &[&Views]) -> Vec<Prediction> {
        let n = asked.len();
        let mut means = vec![0.0; n];
        let mut explained = vec![0.0; n];
        // One row for each observation, so that the inner loops run over all that is asked.
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(seen.len());
        for (i, (views, weight)) in seen.iter().zip(&self.weights).enumerate() {
            let mut row: Vec<f64> =
                asked.iter().map(|asked| self.kernel.between(views, asked)).collect();
            means.iter_mut().zip(&row).for_each(|(mean, k)| *mean += weight * k);
            for (before, &factor) in rows.iter().zip(&self.factor.0[i]) {
                row.iter_mut().zip(before).for_each(|(x, b)| *x -= factor * b);
            }
            let scale = 1.0 / self.factor.0[i][i];
            row.iter_mut().for_each(|x| *x *= scale);
            explained.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x * x);
            rows.push(row);
        }
        let prediction = |(mean, explained): (f64, f64)| Prediction {
            mean,
            deviation: (self.variance * (1.0 - explained).max(1e-9)).sqrt(),
        };
        means.into_iter().zip(explained).map(prediction).collect()
    }
}

/// The shape that makes the observations most likely; all scales of the targets count alike.
pub(crate) fn best_shape(seen: &[&Views], targets: &[f64]) -> Option<Shape> {
    let n = targets.len();
    let differences: Vec<Vec<Differences>> =
        (0..n).map(|i| (0..=i).map(|j| seen[i].differences(seen[j])).collect()).collect();
    let mut best: Option<(f64, Shape)> = None;
    for shape in Shape::all() {
        let kernel = Kernel::new(&shape);
        let between = |i: usize, j: usize| kernel.of(differences[i][j]);
        let Some(factor) = Factor::of(n, shape.noise, between) else { continue };
        let squares: f64 = factor.solve(targets).iter().map(|x| x * x).sum();
        let log_determinant: f64 = (0..n).map(|i| factor.0[i][i].ln()).sum();
        let likelihood = -0.5 * n as f64 * (squares / n as f64).ln() - log_determinant;
        if best.is_none_or(|(most, _)| likelihood > most) {
            best = Some((likelihood, shape));
        }
    }
    best.map(|(_, shape)| shape)
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
