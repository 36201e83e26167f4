//! Adam on a slice of numbers, for architecture weights.

use serde::{Deserialize, Serialize};

/// Adam with weight decay in the gradient (L2), as `torch.optim.Adam`; it can be stored with
/// serde, as part of a strategy's saved state.
///
/// # Source
/// Kingma, Ba. Adam: a method for stochastic optimization. ICLR 2015, algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Step size; may be changed between steps.
    pub learning_rate: f64,
    /// Memory of the gradient's and of its square's mean.
    pub betas: [f64; 2],
    /// Added to the root of the square's mean.
    pub epsilon: f64,
    /// Share of each number that is added to its gradient.
    pub weight_decay: f64,
    moments: Vec<Moments>,
}

/// What is remembered of one number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Moments {
    steps: u32,
    mean: f64,
    square: f64,
}

impl Adam {
    /// With PyTorch's betas (0.9, 0.999) and epsilon 1e-8, and no weight decay.
    #[must_use]
    pub fn new(learning_rate: f64) -> Self {
        let betas = [0.9, 0.999];
        Self { learning_rate, betas, epsilon: 1e-8, weight_decay: 0.0, moments: Vec::new() }
    }

    /// With other betas.
    #[must_use]
    pub fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = [first, second];
        self
    }

    /// With weight decay.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Takes one step down the gradient.
    ///
    /// A number whose gradient is absent (NaN) stays as it is and does not age, like a parameter
    /// without gradient in PyTorch; so each number counts its own steps.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn step(&mut self, numbers: &mut [f64], gradient: &[f64]) {
        assert_eq!(numbers.len(), gradient.len(), "one gradient per number");
        self.moments.resize(numbers.len(), Moments::default());
        let [beta1, beta2] = self.betas;
        for ((number, &gradient), moments) in
            numbers.iter_mut().zip(gradient).zip(&mut self.moments)
        {
            if gradient.is_nan() {
                continue;
            }
            let gradient = gradient + self.weight_decay * *number;
            moments.steps += 1;
            moments.mean = beta1 * moments.mean + (1.0 - beta1) * gradient;
            moments.square = beta2 * moments.square + (1.0 - beta2) * gradient * gradient;
            let mean = moments.mean / (1.0 - beta1.powf(f64::from(moments.steps)));
            let square = moments.square / (1.0 - beta2.powf(f64::from(moments.steps)));
            *number -= self.learning_rate * mean / (square.sqrt() + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_steps_agree_with_the_reference() {
        // The steps of PyTorch's `_single_tensor_adam`, written out in Python's doubles, with the
        // settings that DARTS gives its architecture weights.
        let mut adam = Adam::new(3e-4).betas(0.5, 0.999).weight_decay(1e-3);
        let mut numbers = [0.5, -0.25];
        for gradient in [[0.1, -2.0], [0.3, 0.0], [-0.2, 1.0]] {
            adam.step(&mut numbers, &gradient);
        }
        let expected = [0.499_406_098_074_873_9, -0.249_624_860_524_722_95];
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-15;
        assert!(numbers.iter().zip(&expected).all(close), "{numbers:?}");
    }

    #[test]
    fn a_number_without_gradient_neither_moves_nor_ages() {
        let mut adam = Adam::new(0.1);
        let mut numbers = [1.0, 1.0];
        adam.step(&mut numbers, &[1.0, f64::NAN]);
        assert_eq!(numbers[1], 1.0);
        let first = numbers[0];
        adam.step(&mut numbers, &[f64::NAN, 1.0]);
        assert_eq!(numbers, [first, first]);
    }

    #[test]
    fn a_stored_state_goes_on_alike() {
        let mut adam = Adam::new(0.1);
        let mut numbers = [1.0];
        adam.step(&mut numbers, &[0.3]);
        let mut stored: Adam =
            serde_json::from_value(serde_json::to_value(&adam).unwrap()).unwrap();
        let mut copies = numbers;
        adam.step(&mut numbers, &[-0.2]);
        stored.step(&mut copies, &[-0.2]);
        assert_eq!(numbers, copies);
    }
}
