//! Gumbel softmax: noisy weights that sample a path and still have a gradient (GDAS, SNAS).
//!
//! Draw [`noise`] once per forward pass, then [`relax`]. SNAS uses the weights as they are; GDAS
//! uses the [`super::softmax::strongest`] path alone with weight 1, and pulls its gradient back as
//! if the weight were the soft one. The pull-back of both is [`pull_back`].
//!
//! # Source
//! Jang, Gu, Poole. Categorical reparameterization with Gumbel-softmax. ICLR 2017, section 2.

use super::rng::{Generator, RngExt};
use super::softmax;

/// Fills `noise` with numbers from the standard Gumbel distribution.
pub fn noise(rng: &mut Generator, noise: &mut [f64]) {
    for value in noise {
        // The smallest positive number keeps the inner logarithm finite when 0 is drawn.
        *value = -(-rng.random::<f64>().max(f64::MIN_POSITIVE).ln()).ln();
    }
}

/// Writes the softmax of `(alpha + noise) / temperature`.
///
/// # Shapes
/// One number per path of one choice everywhere.
/// # Panics
/// If the lengths differ.
pub fn relax(alpha: &[f64], noise: &[f64], temperature: f64, weights: &mut [f64]) {
    assert_eq!(alpha.len(), noise.len(), "one number of noise per path");
    let noisy: Vec<f64> = alpha.iter().zip(noise).map(|(alpha, noise)| alpha + noise).collect();
    softmax::relax(&noisy, temperature, weights);
}

/// Writes the gradient in `alpha` under the noise that made the weights.
///
/// An absent gradient (NaN) counts as 0.
///
/// # Shapes
/// One number per path of one choice everywhere; `weights` as [`relax`] wrote them.
/// # Panics
/// If the lengths differ.
pub fn pull_back(weights: &[f64], gradient: &[f64], temperature: f64, result: &mut [f64]) {
    softmax::pull_back(weights, gradient, temperature, result);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rng::generator;
    use super::super::{finite_difference, softmax::strongest};
    use super::*;

    #[test]
    fn the_strongest_path_is_a_draw_from_the_softmax() {
        let alpha = [0.6_f64.ln(), 0.3_f64.ln(), 0.1_f64.ln()];
        let mut rng = generator(0);
        let (mut drawn, mut numbers, mut weights) = ([0.0_f64; 3], [0.0; 3], [0.0; 3]);
        for _ in 0..20_000 {
            noise(&mut rng, &mut numbers);
            relax(&alpha, &numbers, 0.1, &mut weights);
            drawn[strongest(&weights)] += 1.0 / 20_000.0;
        }
        assert!(drawn.iter().zip([0.6, 0.3, 0.1]).all(|(a, b)| (a - b).abs() < 0.02), "{drawn:?}");
    }

    proptest! {
        #[test]
        fn pull_back_is_the_derivative_under_the_same_noise(
            pairs in prop::collection::vec((-2.0..2.0, -2.0..2.0), 1..8),
            seed: u64,
        ) {
            let (alpha, gradient): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let mut numbers = vec![0.0; alpha.len()];
            noise(&mut generator(seed), &mut numbers);
            let relaxed = |alpha: &[f64]| {
                let mut weights = vec![0.0; alpha.len()];
                relax(alpha, &numbers, 2.0, &mut weights);
                weights
            };
            let mut result = vec![0.0; alpha.len()];
            pull_back(&relaxed(&alpha), &gradient, 2.0, &mut result);
            finite_difference::check(&alpha, &gradient, relaxed, &result);
        }
    }
}
