//! A small neural network that learns one number.

use nas_plugin_api::toolkit::rng::{Generator, RngExt, SliceRandom};

/// Adam's factors and epsilon.
///
/// # Source
/// `naszilla/bananas`: meta_neural_net.py.
const BETAS: [f32; 2] = [0.9, 0.99];
const EPSILON: f32 = 1e-8;

/// How networks are built and trained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Training {
    pub(crate) layers: usize,
    pub(crate) width: usize,
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    pub(crate) learning_rate: f32,
}

/// Dense layers with rectifiers between them, and one output.
pub(crate) struct Predictor {
    layers: Vec<Dense>,
    /// Steps taken.
    steps: i32,
}

/// A dense layer, with what Adam remembers of it.
struct Dense {
    n_inputs: usize,
    /// Row by row, an output's weights and, last, its bias.
    weights: Vec<f32>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Predictor {
    /// A network that was trained to tell the target of each example, by the mean absolute error.
    pub(crate) fn trained(
        inputs: &[Vec<f32>],
        targets: &[f32],
        training: Training,
        rng: &mut Generator,
    ) -> Self {
        let n_inputs = inputs.first().map_or(0, Vec::len);
        let mut sizes = vec![n_inputs];
        sizes.extend(vec![training.width; training.layers]);
        sizes.push(1);
        let layers = sizes.windows(2).map(|pair| Dense::new(pair[0], pair[1], rng)).collect();
        let mut predictor = Self { layers, steps: 0 };
        let mut order: Vec<usize> = (0..inputs.len()).collect();
        for _ in 0..training.epochs {
            order.shuffle(rng);
            for batch in order.chunks(training.batch_size) {
                for &example in batch {
                    let sign = |error: f32| error.signum() / batch.len() as f32;
                    predictor.learn(&inputs[example], |found| sign(found - targets[example]));
                }
                predictor.step(training.learning_rate);
            }
        }
        predictor
    }

    /// What it thinks of an example.
    pub(crate) fn predict(&self, input: &[f32]) -> f32 {
        self.activations(input).pop().map_or(0.0, |output| output[0])
    }

    /// The outputs of all layers.
    fn activations(&self, input: &[f32]) -> Vec<Vec<f32>> {
        let mut all: Vec<Vec<f32>> = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let mut output = layer.forward(all.last().map_or(input, Vec::as_slice));
            if index + 1 < self.layers.len() {
                output.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            all.push(output);
        }
        all
    }

    /// Adds an example's gradient; `slope` is the loss's by the prediction.
    fn learn(&mut self, input: &[f32], slope: impl Fn(f32) -> f32) {
        let activations = self.activations(input);
        let Some(last) = activations.last() else { return };
        let mut slopes = vec![slope(last[0])];
        for (index, layer) in self.layers.iter_mut().enumerate().rev() {
            let below = if index == 0 { input } else { &activations[index - 1] };
            let mut next = layer.backward(below, &slopes);
            // The slope of a rectifier.
            next.iter_mut()
                .zip(below)
                .filter(|(_, value)| **value <= 0.0)
                .for_each(|(s, _)| *s = 0.0);
            slopes = next;
        }
    }

    fn step(&mut self, learning_rate: f32) {
        self.steps += 1;
        let correction = BETAS.map(|beta| 1.0 - beta.powi(self.steps));
        self.layers.iter_mut().for_each(|layer| layer.step(learning_rate, correction));
    }
}

impl Dense {
    /// Weights as Glorot and Bengio (2010) draw them, no bias.
    fn new(n_inputs: usize, n_outputs: usize, rng: &mut Generator) -> Self {
        let bound = (6.0 / (n_inputs + n_outputs) as f32).sqrt();
        let mut weight = |place: usize| match place % (n_inputs + 1) == n_inputs {
            true => 0.0,
            false => bound * (2.0 * rng.random::<f32>() - 1.0),
        };
        let n = n_outputs * (n_inputs + 1);
        let weights = (0..n).map(&mut weight).collect();
        let zeros = || vec![0.0; n];
        Self { n_inputs, weights, gradient: zeros(), mean: zeros(), square: zeros() }
    }

    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let output = |row: &[f32]| {
            let (weights, bias) = row.split_at(self.n_inputs);
            bias[0] + weights.iter().zip(input).map(|(w, x)| w * x).sum::<f32>()
        };
        self.weights.chunks_exact(self.n_inputs + 1).map(output).collect()
    }

    /// Adds the gradient of its weights; returns the slopes by its inputs.
    fn backward(&mut self, input: &[f32], slopes: &[f32]) -> Vec<f32> {
        let mut by_input = vec![0.0; self.n_inputs];
        let rows = self.weights.chunks_exact(self.n_inputs + 1);
        let gradients = self.gradient.chunks_exact_mut(self.n_inputs + 1);
        for ((row, gradient), &slope) in rows.zip(gradients).zip(slopes) {
            if slope == 0.0 {
                continue;
            }
            for ((gradient, x), (total, weight)) in
                gradient.iter_mut().zip(input).zip(by_input.iter_mut().zip(row))
            {
                *gradient += slope * x;
                *total += slope * weight;
            }
            gradient[self.n_inputs] += slope;
        }
        by_input
    }

    fn step(&mut self, learning_rate: f32, [first, second]: [f32; 2]) {
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((weight, gradient), (mean, square)) in
            self.weights.iter_mut().zip(&mut self.gradient).zip(moments)
        {
            *mean += (1.0 - BETAS[0]) * (*gradient - *mean);
            *square += (1.0 - BETAS[1]) * (*gradient * *gradient - *square);
            *weight -= learning_rate * (*mean / first) / ((*square / second).sqrt() + EPSILON);
            *gradient = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::toolkit::rng::generator;

    use super::*;

    const SMALL: Training =
        Training { layers: 3, width: 16, epochs: 300, batch_size: 16, learning_rate: 0.01 };

    #[test]
    fn gradients_are_those_of_differences() {
        let mut rng = generator(3);
        let input = [0.5, -1.0, 2.0];
        let mut predictor = Predictor {
            layers: vec![Dense::new(3, 4, &mut rng), Dense::new(4, 1, &mut rng)],
            steps: 0,
        };
        predictor.learn(&input, |_| 1.0);
        for layer in 0..2 {
            for place in 0..predictor.layers[layer].weights.len() {
                let mut at = |change: f32| {
                    predictor.layers[layer].weights[place] += change;
                    let found = predictor.predict(&input);
                    predictor.layers[layer].weights[place] -= change;
                    found
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                let gradient = predictor.layers[layer].gradient[place];
                assert!((slope - gradient).abs() < 1e-2, "{layer} {place}: {slope} {gradient}");
            }
        }
    }

    #[test]
    fn it_learns_what_is_no_sum() {
        let mut rng = generator(0);
        let inputs: Vec<Vec<f32>> =
            (0..16_u8).map(|n| (0..4).map(|bit| f32::from((n >> bit) & 1)).collect()).collect();
        let targets: Vec<f32> = inputs.iter().map(|x| (x[0] - x[1]).abs()).collect();
        let predictor = Predictor::trained(&inputs, &targets, SMALL, &mut rng);
        for (input, target) in inputs.iter().zip(&targets) {
            let found = predictor.predict(input);
            assert!((found - target).abs() < 0.3, "{found} {target}");
        }
    }
}
