//! The controller: a recurrent network whose every step picks one member of a choice.
//!
//! Step by step it reads the embedding of the last pick, and its hidden state, times the softmax
//! weights of what is chosen among, gives the logits of the next. The gradient of a sample's
//! log-probability is computed by hand, back through time.
//!
//! # Source
//! Pham et al. ENAS, ICML 2018, section 2.2; `melodyguan/enas@4bcfd73`:
//! src/cifar10/micro_controller.py.
//! Differs: the source picks inputs by attention over the states of earlier nodes, which only its own
//! space has; here inputs are members with embeddings like operations, so that every space serves.
//! Inputs of one node are picked without repetition.

use std::ops::Range;

use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::rng::{Generator, RngExt};
use nas_plugin_api::toolkit::{gates, softmax};

use super::config::EnasConfig;
use super::decision::{Decision, Decisions};
use super::lstm::{Carried, Cell, GATES, Layer, LayerGradient};

/// Parameters start uniformly between minus this and this.
///
/// # Source
/// src/cifar10/micro_controller.py `_create_params`.
const INITIAL_RANGE: f64 = 0.1;

/// How the controller's parameters are used; the parameters themselves are a plain slice.
pub(super) struct Controller {
    decisions: Decisions,
    size: usize,
    temperature: f64,
    places: Places,
}

/// Where the parameters lie.
struct Places {
    lstm: Vec<LayerPlaces>,
    /// What the first step reads.
    start: Range<usize>,
    vocabularies: Vec<VocabularyPlaces>,
    /// Per decision, biases of its own, or nothing.
    decisions: Vec<Range<usize>>,
    end: usize,
}

struct LayerPlaces {
    weights: Range<usize>,
    bias: Range<usize>,
}

/// Matrices have a row for each member.
struct VocabularyPlaces {
    embeddings: Range<usize>,
    weights: Range<usize>,
    bias: Range<usize>,
}

/// A sampled network.
#[derive(Debug)]
pub(super) struct Sample {
    /// Per choice, its members.
    pub(super) picks: Vec<Vec<usize>>,
    /// Every step's pick, by which the sample is walked again.
    pub(super) moves: Vec<usize>,
    /// Of all picks together.
    pub(super) log_probability: f64,
    /// Sum over all steps.
    pub(super) entropy: f64,
    steps: Vec<Step>,
}

/// What is remembered of one step.
#[derive(Debug)]
struct Step {
    /// Which decision it belongs to.
    decision: usize,
    vocabulary: usize,
    pick: usize,
    /// Zero for what may not be picked.
    probabilities: Vec<f64>,
    /// Derivative of each logit in the product of weights and hidden state.
    slopes: Vec<f64>,
    cells: Vec<Cell>,
    /// Where the parameters that it read lie.
    input: Range<usize>,
}

impl Controller {
    pub(super) fn new(space: &Space, config: &EnasConfig) -> Self {
        let decisions = Decisions::new(space, config);
        let places = Places::new(&decisions, config);
        Self { decisions, size: config.lstm_size, temperature: config.temperature, places }
    }

    /// Number of parameters.
    pub(super) fn n_parameters(&self) -> usize {
        self.places.end
    }

    /// Parameters to start from.
    pub(super) fn initial(&self, config: &EnasConfig, rng: &mut Generator) -> Vec<f64> {
        let mut parameters: Vec<f64> = (0..self.n_parameters())
            .map(|_| rng.random_range(-INITIAL_RANGE..INITIAL_RANGE))
            .collect();
        let lstm = self.places.lstm.iter().map(|layer| &layer.bias);
        for bias in lstm.chain(&self.places.decisions) {
            parameters[bias.clone()].fill(0.0);
        }
        for (places, vocabulary) in
            self.places.vocabularies.iter().zip(&self.decisions.vocabularies)
        {
            parameters[places.bias.clone()].copy_from_slice(&vocabulary.biases(config));
        }
        parameters
    }

    /// Draws a network.
    pub(super) fn sample(&self, parameters: &[f64], rng: &mut Generator) -> Sample {
        self.walk(parameters, |_, probabilities| gates::draw(probabilities, rng))
    }

    /// The network of the most probable pick in each step.
    pub(super) fn most_probable(&self, parameters: &[f64]) -> Sample {
        self.walk(parameters, |_, probabilities| softmax::strongest(probabilities))
    }

    /// The network of these moves.
    pub(super) fn replay(&self, parameters: &[f64], moves: &[usize]) -> Sample {
        self.walk(parameters, |step, _| moves[step])
    }

    /// Adds `factor` times the gradient of the log-probability of these moves.
    pub(super) fn add_gradient(
        &self,
        parameters: &[f64],
        moves: &[usize],
        factor: f64,
        gradient: &mut [f64],
    ) {
        let sample = self.replay(parameters, moves);
        let mut carried = vec![Carried::zero(self.size); self.places.lstm.len()];
        for step in sample.steps.iter().rev() {
            let d_hidden = self.softmax_backward(parameters, step, factor, gradient);
            let mut d_above = d_hidden;
            for (layer, places) in self.places.lstm.iter().enumerate().rev() {
                let carried = &mut carried[layer];
                carried.hidden.iter_mut().zip(&d_above).for_each(|(sum, d)| *sum += d);
                let mut into = places.gradient(gradient);
                let layer_of = places.layer(self.size, parameters);
                d_above = layer_of.backward(&step.cells[layer], carried, &mut into);
            }
            let input = gradient[step.input.clone()].iter_mut();
            input.zip(&d_above).for_each(|(sum, d)| *sum += d);
        }
    }

    /// Makes all decisions; `choose` is given a step's number and probabilities.
    fn walk(&self, parameters: &[f64], mut choose: impl FnMut(usize, &[f64]) -> usize) -> Sample {
        let mut sample = Sample {
            picks: self.decisions.forced.clone(),
            moves: Vec::new(),
            log_probability: 0.0,
            entropy: 0.0,
            steps: Vec::new(),
        };
        for (number, decision) in self.decisions.decisions.iter().enumerate() {
            let mut picked: Vec<usize> = Vec::new();
            while picked.len() < decision.max {
                let pick = self.take_step(parameters, number, &picked, &mut sample, &mut choose);
                if decision.is_stop(pick) {
                    break;
                }
                picked.push(pick);
            }
            sample.picks[decision.choice] = picked;
        }
        sample
    }

    /// One pick.
    fn take_step(
        &self,
        parameters: &[f64],
        number: usize,
        picked: &[usize],
        sample: &mut Sample,
        choose: &mut impl FnMut(usize, &[f64]) -> usize,
    ) -> usize {
        let decision = &self.decisions.decisions[number];
        let last = sample.steps.last();
        let input = match last {
            Some(step) => self.places.embedding(self.size, step.vocabulary, step.pick),
            None => self.places.start.clone(),
        };
        let mut cells: Vec<Cell> = Vec::with_capacity(self.places.lstm.len());
        for (layer, places) in self.places.lstm.iter().enumerate() {
            let read = cells.last().map_or(&parameters[input.clone()], |below| &below.hidden);
            let before = last.map(|step| &step.cells[layer]);
            let cell = places.layer(self.size, parameters).forward(read, before);
            cells.push(cell);
        }
        let hidden = cells.last().map_or(&[][..], |top| &top.hidden);
        let (logits, slopes) = self.logits(parameters, number, hidden);
        let allowed = decision.allowed(picked);
        let (probabilities, log_probabilities) = distribution(&logits, &allowed);
        let pick = choose(sample.steps.len(), &probabilities);
        sample.log_probability += log_probabilities[pick];
        sample.entropy -= (0..probabilities.len())
            .filter(|&member| allowed[member])
            .map(|member| probabilities[member] * log_probabilities[member])
            .sum::<f64>();
        sample.moves.push(pick);
        let vocabulary = decision.vocabulary;
        let decision = number;
        sample.steps.push(Step { decision, vocabulary, pick, probabilities, slopes, cells, input });
        pick
    }

    /// The logits, and their derivatives in the products of weights and hidden state.
    fn logits(&self, parameters: &[f64], number: usize, hidden: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let decision = &self.decisions.decisions[number];
        let own = &parameters[self.places.decisions[number].clone()];
        let places = &self.places.vocabularies[decision.vocabulary];
        let rows = parameters[places.weights.clone()].chunks_exact(self.size);
        let bias = &parameters[places.bias.clone()];
        let mut logits = Vec::with_capacity(bias.len());
        let mut slopes = Vec::with_capacity(bias.len());
        for (member, (row, bias)) in rows.zip(bias).enumerate() {
            let product: f64 = row.iter().zip(hidden).map(|(w, h)| w * h).sum();
            let own = own.get(member).copied().unwrap_or(0.0);
            let scaled = (product + bias + own) / self.temperature;
            let constant = decision.tanh_constant;
            let (logit, slope) = match constant == 0.0 {
                true => (scaled, 1.0),
                false => {
                    let tanh = scaled.tanh();
                    (constant * tanh, constant * (1.0 - tanh * tanh))
                }
            };
            logits.push(logit + decision.fixed_bias.get(member).copied().unwrap_or(0.0));
            slopes.push(slope / self.temperature);
        }
        (logits, slopes)
    }

    /// Adds the gradient of a step's softmax weights; returns that of the hidden state.
    fn softmax_backward(
        &self,
        parameters: &[f64],
        step: &Step,
        factor: f64,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let places = &self.places.vocabularies[step.vocabulary];
        let hidden = step.cells.last().map_or(&[][..], |top| &top.hidden);
        let mut d_hidden = vec![0.0; self.size];
        for (member, &probability) in step.probabilities.iter().enumerate() {
            let taken = if member == step.pick { 1.0 } else { 0.0 };
            let slope = factor * (taken - probability) * step.slopes[member];
            gradient[places.bias.start + member] += slope;
            if let Some(own) = self.places.decisions[step.decision].clone().nth(member) {
                gradient[own] += slope;
            }
            let row = places.weights.start + member * self.size;
            for unit in 0..self.size {
                gradient[row + unit] += slope * hidden[unit];
                d_hidden[unit] += slope * parameters[row + unit];
            }
        }
        d_hidden
    }
}

impl Places {
    fn new(decisions: &Decisions, config: &EnasConfig) -> Self {
        let mut end = 0;
        let mut take = |n: usize| {
            let place = end..end + n;
            end += n;
            place
        };
        let size = config.lstm_size;
        let bias = if config.lstm_bias { GATES * size } else { 0 };
        let lstm = (0..config.lstm_layers)
            .map(|_| LayerPlaces { weights: take(2 * size * GATES * size), bias: take(bias) })
            .collect();
        let start = take(size);
        let vocabularies = decisions
            .vocabularies
            .iter()
            .map(|vocabulary| VocabularyPlaces {
                embeddings: take(vocabulary.size() * size),
                weights: take(vocabulary.size() * size),
                bias: take(vocabulary.size()),
            })
            .collect();
        let own = |decision: &Decision| match config.choice_biases {
            true => take(decisions.vocabularies[decision.vocabulary].size()),
            false => 0..0,
        };
        let decisions = decisions.decisions.iter().map(own).collect();
        Self { lstm, start, vocabularies, decisions, end }
    }

    fn embedding(&self, size: usize, vocabulary: usize, member: usize) -> Range<usize> {
        let start = self.vocabularies[vocabulary].embeddings.start + member * size;
        start..start + size
    }
}

impl LayerPlaces {
    fn layer<'a>(&self, size: usize, parameters: &'a [f64]) -> Layer<'a> {
        let (weights, bias) = (&parameters[self.weights.clone()], &parameters[self.bias.clone()]);
        Layer { size, weights, bias }
    }

    /// The bias lies right behind the weights.
    fn gradient<'a>(&self, gradient: &'a mut [f64]) -> LayerGradient<'a> {
        let own = &mut gradient[self.weights.start..self.bias.end];
        let (weights, bias) = own.split_at_mut(self.weights.len());
        LayerGradient { weights, bias }
    }
}

/// Softmax over what is allowed, and its logarithm; what is not has probability 0.
fn distribution(logits: &[f64], allowed: &[bool]) -> (Vec<f64>, Vec<f64>) {
    let masked: Vec<f64> = logits
        .iter()
        .zip(allowed)
        .map(|(&logit, &allowed)| if allowed { logit } else { f64::NEG_INFINITY })
        .collect();
    let largest = masked.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = masked.iter().map(|logit| (logit - largest).exp()).sum();
    let log_probabilities: Vec<f64> =
        masked.iter().map(|logit| logit - largest - total.ln()).collect();
    (log_probabilities.iter().map(|log| log.exp()).collect(), log_probabilities)
}
