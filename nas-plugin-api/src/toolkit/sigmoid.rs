//! Sigmoid: every path weighted on its own (FairDARTS).
//!
//! # Source
//! Chu, Zhou, Zhang, Li. Fair DARTS. ECCV 2020, section 4.1.

/// Writes the logistic function of every number.
///
/// # Panics
/// If the lengths differ.
pub fn relax(alpha: &[f64], weights: &mut [f64]) {
    assert_eq!(alpha.len(), weights.len(), "one weight per path");
    for (weight, &alpha) in weights.iter_mut().zip(alpha) {
        *weight = 1.0 / (1.0 + (-alpha).exp());
    }
}

/// Writes the gradient in `alpha` that belongs to a gradient in the weights:
/// `gradient · weight · (1 − weight)`, and NaN where the gradient is absent (NaN).
///
/// # Shapes
/// One number per path everywhere; `weights` as [`relax`] wrote them.
/// # Panics
/// If the lengths differ.
pub fn pull_back(weights: &[f64], gradient: &[f64], result: &mut [f64]) {
    assert_eq!(weights.len(), gradient.len(), "one gradient per path");
    assert_eq!(weights.len(), result.len(), "one result per path");
    for ((result, &weight), &gradient) in result.iter_mut().zip(weights).zip(gradient) {
        *result = gradient * weight * (1.0 - weight);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::finite_difference;
    use super::*;

    #[test]
    fn weights_stay_between_0_and_1() {
        let mut weights = [0.5; 3];
        relax(&[-1000.0, 0.0, 1000.0], &mut weights);
        assert_eq!(weights, [0.0, 0.5, 1.0]);
    }

    proptest! {
        #[test]
        fn pull_back_is_the_derivative(
            pairs in prop::collection::vec((-4.0..4.0, -2.0..2.0), 1..8),
        ) {
            let (alpha, gradient): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let relaxed = |alpha: &[f64]| {
                let mut weights = vec![0.0; alpha.len()];
                relax(alpha, &mut weights);
                weights
            };
            let mut result = vec![0.0; alpha.len()];
            pull_back(&relaxed(&alpha), &gradient, &mut result);
            finite_difference::check(&alpha, &gradient, relaxed, &result);
        }
    }
}
