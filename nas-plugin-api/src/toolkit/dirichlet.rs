//! Dirichlet: weights of a choice drawn from a distribution that is learnt (DrNAS).
//!
//! The concentration of a path is `elu(alpha) + 1`. [`draw`] once per forward pass; [`pull_back`]
//! is the gradient through the draw, as if its randomness were held fixed.
//!
//! # Source
//! Chen, Wang, Cheng, Tang, Hsieh. DrNAS: Dirichlet neural architecture search. ICLR 2021, section
//! 3.2; `xiangning-chen/DrNAS@f2caa4d`: DARTS-space/model_search.py. The gradient: Figurnov,
//! Mohamed, Mnih. Implicit reparameterization gradients. NeurIPS 2018, in the form of PyTorch's
//! torch/distributions/dirichlet.py.
//! Differs: PyTorch approximates the derivative of the Beta distribution to about 1 %; here it is
//! summed to double precision.

use super::polygamma::{digamma, trigamma};
use super::rng::{Generator, RngExt, normal};

/// `elu(alpha) + 1`: the concentration that belongs to an architecture weight, above 0.
#[must_use]
pub fn concentration(alpha: f64) -> f64 {
    /// Keeps the reciprocal and its products finite.
    const SMALLEST: f64 = 1e-20;
    if alpha > 0.0 { alpha + 1.0 } else { alpha.exp().max(SMALLEST) }
}

/// The derivative of [`concentration`].
#[must_use]
pub fn concentration_slope(alpha: f64) -> f64 {
    if alpha > 0.0 { 1.0 } else { alpha.exp() }
}

/// Writes a draw of the weights, which sum to 1.
///
/// # Shapes
/// One number per path of one choice everywhere.
/// # Panics
/// If the lengths differ.
/// # Source
/// Normalised gamma variates: Marsaglia, Tsang. A simple method for generating gamma variables.
/// ACM TOMS 26, 2000; as logarithms, so that small concentrations do not underflow.
pub fn draw(alpha: &[f64], rng: &mut Generator, weights: &mut [f64]) {
    assert_eq!(alpha.len(), weights.len(), "one weight per path");
    let logarithms: Vec<f64> =
        alpha.iter().map(|&alpha| log_gamma_variate(concentration(alpha), rng)).collect();
    super::softmax::relax(&logarithms, 1.0, weights);
}

/// Writes the mean of the distribution: every concentration's share.
///
/// # Shapes
/// One number per path of one choice everywhere.
/// # Panics
/// If the lengths differ.
pub fn mean(alpha: &[f64], weights: &mut [f64]) {
    assert_eq!(alpha.len(), weights.len(), "one weight per path");
    let total: f64 = alpha.iter().copied().map(concentration).sum();
    for (weight, &alpha) in weights.iter_mut().zip(alpha) {
        *weight = concentration(alpha) / total;
    }
}

/// Writes the gradient in `alpha` that belongs to a gradient in the weights that [`draw`] wrote:
/// `r_i · (gradient_i − Σ_k weight_k · gradient_k)` in the concentrations, with [`rate`]'s `r`.
///
/// An absent gradient (NaN) counts as 0.
///
/// # Shapes
/// One number per path of one choice everywhere.
/// # Panics
/// If the lengths differ.
pub fn pull_back(alpha: &[f64], weights: &[f64], gradient: &[f64], result: &mut [f64]) {
    let total: f64 = alpha.iter().copied().map(concentration).sum();
    centre(weights, gradient, result);
    for ((result, &weight), &alpha) in result.iter_mut().zip(weights).zip(alpha) {
        let concentration = concentration(alpha);
        let rest = total - concentration;
        if rest > 0.0 {
            *result *= rate(weight, concentration, rest) * concentration_slope(alpha);
        }
    }
}

/// Writes the gradient in `alpha` that belongs to a gradient in the weights that [`mean`] wrote.
///
/// An absent gradient (NaN) counts as 0.
///
/// # Shapes
/// One number per path of one choice everywhere.
/// # Panics
/// If the lengths differ.
pub fn pull_back_mean(alpha: &[f64], gradient: &[f64], result: &mut [f64]) {
    let mut weights = vec![0.0; alpha.len()];
    mean(alpha, &mut weights);
    let total: f64 = alpha.iter().copied().map(concentration).sum();
    centre(&weights, gradient, result);
    for (result, &alpha) in result.iter_mut().zip(alpha) {
        *result *= concentration_slope(alpha) / total;
    }
}

/// The Kullback-Leibler divergence of the distribution from the uniform one, all concentrations 1.
#[must_use]
pub fn divergence(alpha: &[f64]) -> f64 {
    let total: f64 = alpha.iter().copied().map(concentration).sum();
    let terms = alpha
        .iter()
        .copied()
        .map(concentration)
        .map(|c| (c - 1.0) * (digamma(c) - digamma(total)) - log_gamma(c));
    log_gamma(total) - log_gamma(alpha.len() as f64) + terms.sum::<f64>()
}

/// Adds the gradient in `alpha` of `scale` times the [`divergence`].
///
/// # Panics
/// If the lengths differ.
pub fn add_divergence_gradient(alpha: &[f64], scale: f64, result: &mut [f64]) {
    assert_eq!(alpha.len(), result.len(), "one result per path");
    let total: f64 = alpha.iter().copied().map(concentration).sum();
    let common = (total - alpha.len() as f64) * trigamma(total);
    for (result, &alpha) in result.iter_mut().zip(alpha) {
        let c = concentration(alpha);
        *result += scale * ((c - 1.0) * trigamma(c) - common) * concentration_slope(alpha);
    }
}

/// How a Beta variate `x` moves with its first parameter while its randomness is held fixed, by
/// `1 − x`: `−∂F(x; a, b)/∂a / f(x; a, b) / (1 − x)` for the distribution `F` and its density `f`.
///
/// `F` is `x^a (1−x)^b / (a B(a, b))` times the hypergeometric series `Σ (a+b)ₙ/(a+1)ₙ xⁿ`, whose
/// terms are all positive; above the mean the same series serves for `1 − F`.
///
/// # Source
/// Abramowitz, Stegun. Handbook of Mathematical Functions, 26.5.4 and 6.6.8.
#[must_use]
pub fn rate(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x <= (a + 1.0) / (a + b + 2.0) {
        let (sum, sum_slope) = series(x, a, b, |n| 1.0 / (a + b + n) - 1.0 / (a + 1.0 + n));
        // ψ(a) + 1/a is ψ(a + 1), without the cancellation.
        let log_slope = x.ln() - digamma(a + 1.0) + digamma(a + b);
        -x / a * (sum * log_slope + sum_slope)
    } else {
        let (sum, sum_slope) = series(1.0 - x, b, a, |n| 1.0 / (a + b + n));
        let log_slope = x.ln() - digamma(a) + digamma(a + b);
        x / b * (sum * log_slope + sum_slope)
    }
}

/// `Σ (p+q)ₙ/(p+1)ₙ xⁿ` and its derivative in a parameter, of which `slope` is the derivative of
/// the logarithm of the n-th factor.
fn series(x: f64, p: f64, q: f64, slope: impl Fn(f64) -> f64) -> (f64, f64) {
    /// More than any draw needs; ends the sum where x is 1 to the last bit.
    const MOST_TERMS: u32 = 1_000_000;
    let (mut term, mut log_slope) = (1.0, 0.0);
    let (mut sum, mut sum_slope) = (1.0, 0.0_f64);
    for n in 0..MOST_TERMS {
        let n = f64::from(n);
        let factor = (p + q + n) / (p + 1.0 + n) * x;
        term *= factor;
        log_slope += slope(n);
        sum += term;
        sum_slope += term * log_slope;
        let is_small = term * log_slope.abs().max(1.0) < 1e-17 * sum.max(sum_slope.abs());
        if factor < 1.0 && is_small {
            break;
        }
    }
    (sum, sum_slope)
}

/// Writes `gradient_i − Σ_k weight_k · gradient_k`, absent gradients being 0.
fn centre(weights: &[f64], gradient: &[f64], result: &mut [f64]) {
    assert_eq!(weights.len(), gradient.len(), "one gradient per path");
    assert_eq!(weights.len(), result.len(), "one result per path");
    let present = |gradient: f64| if gradient.is_nan() { 0.0 } else { gradient };
    let mean: f64 = weights.iter().zip(gradient).map(|(&w, &g)| w * present(g)).sum();
    for (result, &gradient) in result.iter_mut().zip(gradient) {
        *result = present(gradient) - mean;
    }
}

/// The logarithm of a gamma variate of this shape.
fn log_gamma_variate(shape: f64, rng: &mut Generator) -> f64 {
    // Below 1, by way of the next larger shape: G(a) = G(a + 1) · U^(1/a).
    if shape < 1.0 {
        let uniform = 1.0 - rng.random::<f64>();
        return log_gamma_variate(shape + 1.0, rng) + uniform.ln() / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        let uniform = 1.0 - rng.random::<f64>();
        if v > 0.0 && uniform.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d.ln() + v.ln();
        }
    }
}

/// ln Γ(x), for `x > 0`, by Stirling's series (Abramowitz, Stegun, 6.1.41).
fn log_gamma(mut x: f64) -> f64 {
    let mut product = 0.0;
    while x < 15.0 {
        product += x.ln();
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let tail = 1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail / x - product
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::finite_difference;
    use super::super::rng::generator;
    use super::*;

    /// The Beta distribution by Simpson's rule; parameters above 1.
    fn beta_distribution(x: f64, a: f64, b: f64) -> f64 {
        const STEPS: u32 = 4000;
        let scale = (log_gamma(a + b) - log_gamma(a) - log_gamma(b)).exp();
        let density = |t: f64| scale * t.powf(a - 1.0) * (1.0 - t).powf(b - 1.0);
        let width = x / f64::from(2 * STEPS);
        let value = |n: u32| density(width * f64::from(n));
        let inner: f64 =
            (1..2 * STEPS).map(|n| if n % 2 == 1 { 4.0 } else { 2.0 } * value(n)).sum();
        width / 3.0 * (value(0) + inner + value(2 * STEPS))
    }

    proptest! {
        #[test]
        fn the_rate_is_the_derivative_of_the_distribution(
            x in 0.02..0.98, a in 4.0..12.0, b in 4.0..12.0,
        ) {
            const STEP: f64 = 1e-4;
            let at = |offset: f64| beta_distribution(x, a + offset, b);
            // Of fourth order, so that the step can be large.
            let derivative = (8.0 * (at(STEP) - at(-STEP)) - at(2.0 * STEP) + at(-2.0 * STEP))
                / (12.0 * STEP);
            let scale = (log_gamma(a + b) - log_gamma(a) - log_gamma(b)).exp();
            let density = scale * f64::powf(x, a - 1.0) * f64::powf(1.0 - x, b - 1.0);
            let found = rate(x, a, b) * density * (1.0 - x);
            prop_assert!((found + derivative).abs() < 1e-8, "{found} {derivative}");
        }

        #[test]
        fn the_means_pull_back_is_the_derivative(
            pairs in prop::collection::vec((-3.0..3.0, -2.0..2.0), 2..8),
        ) {
            let (alpha, gradient): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let relaxed = |alpha: &[f64]| {
                let mut weights = vec![0.0; alpha.len()];
                mean(alpha, &mut weights);
                weights
            };
            let mut result = vec![0.0; alpha.len()];
            pull_back_mean(&alpha, &gradient, &mut result);
            finite_difference::check(&alpha, &gradient, relaxed, &result);
        }

        #[test]
        fn the_divergences_gradient_is_its_derivative(
            alpha in prop::collection::vec(-2.0..2.0, 2..6),
        ) {
            let mut result = vec![0.0; alpha.len()];
            add_divergence_gradient(&alpha, 1.0, &mut result);
            finite_difference::check(&alpha, &[1.0], |alpha| vec![divergence(alpha)], &result);
        }
    }

    #[test]
    fn rates_agree_with_arbitrary_precision() {
        // mpmath with 40 digits: -diff(lambda t: betainc(t, b, 0, x, regularized=True), a)
        // / density / (1 - x).
        let known = [
            (0.3, 1.0, 6.0, 0.252_142_896_624_413_8),
            (0.05, 0.4, 3.2, 0.264_858_211_532_699_32),
            (0.95, 0.4, 3.2, 1.134_698_765_572_885_6),
            (0.5, 2.5, 0.3, 0.311_980_287_311_840_1),
            (1e-9, 1.0, 6.0, 1.927_326_590_565_284_3e-8),
            (0.999, 30.0, 5.0, 0.031_295_904_338_965_84),
        ];
        for (x, a, b, expected) in known {
            let found = rate(x, a, b);
            assert!((found / expected - 1.0).abs() < 1e-12, "{x} {a} {b}: {found} {expected}");
        }
    }

    #[test]
    fn the_uniform_distribution_does_not_diverge_from_itself() {
        assert!(divergence(&[0.0; 5]).abs() < 1e-12);
    }

    #[test]
    fn draws_have_the_mean_and_sum_to_1() {
        for alpha in [[0.5, 0.0, -1.0], [3.0, -2.0, 0.2], [-4.0, -5.0, -6.0]] {
            let mut rng = generator(5);
            let (mut total, mut weights, mut expected) = ([0.0; 3], [0.0; 3], [0.0; 3]);
            mean(&alpha, &mut expected);
            for _ in 0..20_000 {
                draw(&alpha, &mut rng, &mut weights);
                assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                total.iter_mut().zip(&weights).for_each(|(total, w)| *total += w / 20_000.0);
            }
            assert!(total.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 0.012), "{total:?}");
        }
    }

    #[test]
    fn the_gradient_through_draws_is_that_of_the_expectation() {
        // The expected square of the first weight is c(c + 1) / (t (t + 1)).
        let alpha: [f64; 3] = [0.4, -0.5, 1.0];
        let expectation = |alpha: &[f64]| {
            let total: f64 = alpha.iter().copied().map(concentration).sum();
            let c = concentration(alpha[0]);
            c * (c + 1.0) / (total * (total + 1.0))
        };
        let mut rng = generator(2);
        let (mut sum, mut weights, mut result) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        for _ in 0..200_000 {
            draw(&alpha, &mut rng, &mut weights);
            pull_back(&alpha, &weights, &[2.0 * weights[0], f64::NAN, 0.0], &mut result);
            sum.iter_mut().zip(&result).for_each(|(sum, r)| *sum += r / 200_000.0);
        }
        for place in 0..3 {
            let at = |offset: f64| {
                let mut moved = alpha;
                moved[place] += offset;
                expectation(&moved)
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((sum[place] - expected).abs() < 2e-3, "{place}: {} {expected}", sum[place]);
        }
    }

    #[test]
    fn extreme_draws_have_finite_gradients() {
        for alpha in [[40.0, -40.0, 0.0], [-700.0, -700.0, -700.0], [500.0, 500.0, -5.0]] {
            let mut rng = generator(3);
            let (mut weights, mut result) = ([0.0; 3], [0.0; 3]);
            for _ in 0..50 {
                draw(&alpha, &mut rng, &mut weights);
                pull_back(&alpha, &weights, &[1.0, -2.0, 0.5], &mut result);
                assert!(result.iter().all(|r| r.is_finite()), "{alpha:?} {weights:?} {result:?}");
            }
        }
    }
}
