//! Binary gates: one path open at a time, drawn by its probability (ProxylessNAS, ENAS).
//!
//! Probabilities are the softmax of `alpha` ([`super::softmax::relax`]). With all paths computed,
//! the gates' gradients are pulled back by [`super::softmax::pull_back`]; with two of them, which
//! saves memory, by [`Pair::pull_back`], and [`Pair::keep_mass`] follows the optimiser's step.
//!
//! # Source
//! Cai, Zhu, Han. ProxylessNAS. ICLR 2019, sections 3.2 and 3.2.1; `MIXEDEDGE` in the released
//! modules/mix_op.py.

use super::rng::{Generator, RngExt};

/// Draws a path by these probabilities, which need not sum to 1.
///
/// # Panics
/// If there is none, or all are 0.
pub fn draw(probabilities: &[f64], rng: &mut Generator) -> usize {
    let total: f64 = probabilities.iter().sum();
    assert!(total > 0.0, "a path with a probability above 0");
    let mut left = rng.random::<f64>() * total;
    let mut last = 0;
    for (path, &probability) in probabilities.iter().enumerate() {
        if probability > 0.0 {
            last = path;
            if left < probability {
                return path;
            }
            left -= probability;
        }
    }
    // Rounding may leave a last bit over.
    last
}

/// Two different paths: the first is open (weight 1), the second is computed with weight 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The open path and the closed one.
    pub paths: [usize; 2],
    /// Their probabilities, scaled to sum to 1.
    pub probabilities: [f64; 2],
}

impl Pair {
    /// Draws two paths by their probabilities, without replacement, and opens one of them by their
    /// probabilities scaled to sum to 1. `None` where fewer than two can be drawn.
    pub fn draw(probabilities: &[f64], rng: &mut Generator) -> Option<Self> {
        if probabilities.iter().filter(|&&probability| probability > 0.0).count() < 2 {
            return None;
        }
        let first = draw(probabilities, rng);
        let mut others = probabilities.to_vec();
        others[first] = 0.0;
        let second = draw(&others, rng);
        let total = probabilities[first] + probabilities[second];
        let share = [probabilities[first] / total, probabilities[second] / total];
        Some(match draw(&share, rng) {
            0 => Self { paths: [first, second], probabilities: share },
            _ => Self { paths: [second, first], probabilities: [share[1], share[0]] },
        })
    }

    /// The gradient in the pair's `alpha` that belongs to the gradients in its gates:
    /// `Σ_j gradient_j · p_j · (δ_ij − p_i)`. The other paths' are absent.
    #[must_use]
    pub fn pull_back(&self, gradient: [f64; 2]) -> [f64; 2] {
        let [p, q] = self.probabilities;
        let slope = p * q * (gradient[0] - gradient[1]);
        [slope, -slope]
    }

    /// Shifts the pair's `alpha` by one constant so that their share of the whole probability is
    /// what it was at `before`: a step on two paths must not change the others'.
    ///
    /// # Shapes
    /// `alpha` and `before` have one number per path of the choice.
    /// # Panics
    /// If they lack one of the pair's paths.
    pub fn keep_mass(&self, before: &[f64], alpha: &mut [f64]) {
        let log_mass = |alpha: &[f64]| {
            let [a, b] = self.paths.map(|path| alpha[path]);
            a.max(b) + (-(a - b).abs()).exp().ln_1p()
        };
        let shift = log_mass(before) - log_mass(alpha);
        self.paths.iter().for_each(|&path| alpha[path] += shift);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rng::generator;
    use super::super::{finite_difference, softmax};
    use super::*;

    fn probabilities(alpha: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; alpha.len()];
        softmax::relax(alpha, 1.0, &mut weights);
        weights
    }

    #[test]
    fn paths_are_drawn_by_their_probabilities() {
        let mut rng = generator(0);
        let mut drawn = [0.0_f64; 3];
        (0..20_000).for_each(|_| drawn[draw(&[0.5, 0.0, 0.25], &mut rng)] += 1.0 / 20_000.0);
        assert_eq!(drawn[1], 0.0);
        assert!((drawn[0] - 2.0 / 3.0).abs() < 0.02, "{drawn:?}");
    }

    #[test]
    fn one_path_is_no_pair() {
        assert_eq!(Pair::draw(&[0.0, 1.0], &mut generator(0)), None);
    }

    proptest! {
        #[test]
        fn a_pair_is_two_paths_with_their_share(
            alpha in prop::collection::vec(-3.0..3.0, 2..7),
            seed: u64,
        ) {
            let all = probabilities(&alpha);
            let pair = Pair::draw(&all, &mut generator(seed)).unwrap();
            let [a, b] = pair.paths;
            prop_assert!(a != b);
            prop_assert!((pair.probabilities[0] - all[a] / (all[a] + all[b])).abs() < 1e-12);
            prop_assert!((pair.probabilities[0] + pair.probabilities[1] - 1.0).abs() < 1e-12);
        }

        #[test]
        fn pull_back_is_the_derivative(
            alpha in prop::array::uniform2(-3.0..3.0),
            gradient in prop::array::uniform2(-2.0..2.0),
        ) {
            let share = probabilities(&alpha);
            let pair = Pair { paths: [0, 1], probabilities: [share[0], share[1]] };
            finite_difference::check(&alpha, &gradient, probabilities, &pair.pull_back(gradient));
        }

        #[test]
        fn other_paths_keep_their_probability(
            before in prop::collection::vec(-3.0..3.0, 3..7),
            steps in prop::array::uniform2(-1.0..1.0),
        ) {
            let pair = Pair { paths: [2, 0], probabilities: [0.5, 0.5] };
            let mut alpha = before.clone();
            alpha[2] += steps[0];
            alpha[0] += steps[1];
            let difference = alpha[2] - alpha[0];
            pair.keep_mass(&before, &mut alpha);
            let (was, is) = (probabilities(&before), probabilities(&alpha));
            prop_assert!((was[1] - is[1]).abs() < 1e-12);
            prop_assert!((alpha[2] - alpha[0] - difference).abs() < 1e-12);
        }
    }
}
