//! Softmax: architecture weights of one choice to weights of its paths (DARTS, PC-DARTS, …).

/// Writes the softmax of `alpha / temperature`.
///
/// # Shapes
/// `alpha` and `weights` have one number per path of one choice.
/// # Panics
/// If the lengths differ.
pub fn relax(alpha: &[f64], temperature: f64, weights: &mut [f64]) {
    assert_eq!(alpha.len(), weights.len(), "one weight per path");
    let largest = alpha.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (weight, &alpha) in weights.iter_mut().zip(alpha) {
        *weight = ((alpha - largest) / temperature).exp();
    }
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
}

/// Writes the gradient in `alpha` that belongs to a gradient in the weights:
/// `weight_j · (gradient_j − Σ_k weight_k · gradient_k) / temperature`.
///
/// An absent gradient (NaN, a path that was not computed) counts as 0. With the chosen path's
/// gradient alone this is the straight-through rule of GDAS.
///
/// # Shapes
/// One number per path of one choice everywhere; `weights` as [`relax`] wrote them.
/// # Panics
/// If the lengths differ.
/// # Source
/// Derivative of softmax; GDAS: Dong, Yang. Searching for a robust neural architecture in four
/// GPU hours. CVPR 2019, section 3.2.
pub fn pull_back(weights: &[f64], gradient: &[f64], temperature: f64, result: &mut [f64]) {
    assert_eq!(weights.len(), gradient.len(), "one gradient per path");
    assert_eq!(weights.len(), result.len(), "one result per path");
    let present = |gradient: f64| if gradient.is_nan() { 0.0 } else { gradient };
    let mean: f64 = weights.iter().zip(gradient).map(|(&w, &g)| w * present(g)).sum();
    for ((result, &weight), &gradient) in result.iter_mut().zip(weights).zip(gradient) {
        *result = weight * (present(gradient) - mean) / temperature;
    }
}

/// The strongest path, the first of equals.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn strongest(weights: &[f64]) -> usize {
    assert!(!weights.is_empty(), "a choice has at least one path");
    (1..weights.len()).fold(0, |best, path| if weights[path] > weights[best] { path } else { best })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::finite_difference;
    use super::*;

    #[test]
    fn large_numbers_do_not_overflow() {
        let mut weights = [0.0; 3];
        relax(&[1000.0, 1000.0, -1000.0], 1.0, &mut weights);
        assert_eq!(weights, [0.5, 0.5, 0.0]);
    }

    #[test]
    fn the_first_of_equals_is_strongest() {
        assert_eq!(strongest(&[0.2, 0.4, 0.4]), 1);
    }

    #[test]
    fn a_chosen_path_alone_gives_the_straight_through_gradient() {
        let weights = [0.2, 0.5, 0.3];
        let mut result = [0.0; 3];
        pull_back(&weights, &[f64::NAN, 2.0, f64::NAN], 0.5, &mut result);
        let expected = [-0.2 * 0.5 * 4.0, 0.5 * 0.5 * 4.0, -0.3 * 0.5 * 4.0];
        assert!(result.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{result:?}");
    }

    proptest! {
        #[test]
        fn pull_back_is_the_derivative(
            pairs in prop::collection::vec((-4.0..4.0, -2.0..2.0), 1..8),
            temperature in 0.5..3.0,
        ) {
            let (alpha, gradient): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let relaxed = |alpha: &[f64]| {
                let mut weights = vec![0.0; alpha.len()];
                relax(alpha, temperature, &mut weights);
                weights
            };
            let mut result = vec![0.0; alpha.len()];
            pull_back(&relaxed(&alpha), &gradient, temperature, &mut result);
            finite_difference::check(&alpha, &gradient, relaxed, &result);
        }
    }
}
