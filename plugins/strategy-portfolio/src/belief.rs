//! What is believed of genotypes: many processes at once, each as far as what was observed speaks
//! for it.
//!
//! A few results hardly tell one shape from another, and the likeliest one is then often a wrong one
//! that is sure of itself. So all that explain the results are averaged.
//!
//! # Source
//! Snoek, Larochelle, Adams. Practical Bayesian optimization of machine learning algorithms, NIPS
//! 2012, section 3.2: the expected improvement is averaged over what the kernel may be.

use crate::gaussian_process::{GaussianProcess, Pairs, Prediction, expected_improvement};
use crate::kernel::{Seen, Shape};

/// A shape that explains the results less than this much as well as the best one is left out.
const LEAST_WEIGHT: f64 = 0.02;
/// At most so many pairs of a shape and an observation: the more is known, the fewer shapes differ
/// in what they predict.
const MOST_PAIRS: usize = 512;

/// Shapes with weights that sum to 1, the likeliest first.
pub(crate) type Weighted = Vec<(Shape, f64)>;

/// How far what was observed speaks for each shape. Empty where it speaks for none.
pub(crate) fn weigh(shapes: &[Shape], seen: &[Seen], targets: &[f64]) -> Weighted {
    let pairs = Pairs::of(seen, seen);
    let evidence =
        |shape: &Shape| Some(GaussianProcess::new(shape, seen, &pairs, targets)?.evidence);
    let mut known: Vec<(&Shape, f64)> =
        shapes.iter().filter_map(|shape| Some((shape, evidence(shape)?))).collect();
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    known.truncate((MOST_PAIRS / seen.len().max(1)).max(2));
    let Some(&(_, most)) = known.first() else { return Vec::new() };
    let weights = known.into_iter().map(|(shape, evidence)| (shape, (evidence - most).exp()));
    let kept: Vec<(&Shape, f64)> =
        weights.take_while(|(_, weight)| *weight >= LEAST_WEIGHT).collect();
    let sum: f64 = kept.iter().map(|(_, weight)| weight).sum();
    kept.into_iter().map(|(shape, weight)| (shape.clone(), weight / sum)).collect()
}

/// Processes that were told the same observations.
pub(crate) struct Belief {
    seen: Vec<Seen>,
    pairs: Pairs,
    targets: Vec<f64>,
    /// Each with its shape and weight.
    processes: Vec<(Shape, f64, GaussianProcess)>,
}

impl Belief {
    /// What these shapes make of observations. Absent where none can be computed.
    pub(crate) fn new(weighted: &Weighted, seen: Vec<Seen>, targets: Vec<f64>) -> Option<Self> {
        let pairs = Pairs::of(&seen, &seen);
        let process = |(shape, weight): &(Shape, f64)| {
            let process = GaussianProcess::new(shape, &seen, &pairs, &targets)?;
            Some((shape.clone(), *weight, process))
        };
        let processes: Vec<_> = weighted.iter().filter_map(process).collect();
        (!processes.is_empty()).then_some(Self { seen, pairs, targets, processes })
    }

    /// What is thought of the observed genotypes themselves: a lucky result counts less than one
    /// among good neighbours.
    pub(crate) fn means(&self) -> Vec<f64> {
        let mut means = vec![0.0; self.seen.len()];
        for (_, weight, process) in &self.processes {
            let of_process = process.means(&self.seen, &self.pairs);
            means.iter_mut().zip(of_process).for_each(|(sum, mean)| *sum += weight * mean);
        }
        means
    }

    /// How much better than the best that is thought of an observed one each of these is expected to
    /// be. What runs is taken for as good as it is thought to be, so that not all try the same.
    ///
    /// # Source
    /// Ginsbourger, Le Riche, Carraro. Kriging is well-suited to parallelize optimization, 2010:
    /// the believer.
    pub(crate) fn improvements(&self, running: &[Seen], asked: &[Seen]) -> Vec<f64> {
        let best = self.means().into_iter().fold(f64::NEG_INFINITY, f64::max);
        let to_asked = Pairs::of(&self.seen, asked);
        let mut gains = vec![0.0; asked.len()];
        for (shape, weight, process) in &self.processes {
            let predictions = match running.is_empty() {
                true => process.predict(&self.seen, asked, &to_asked),
                false => self.predict_beside(shape, process, running, asked),
            };
            let expected = predictions.into_iter().map(|one| expected_improvement(one, best));
            gains.iter_mut().zip(expected).for_each(|(sum, gain)| *sum += weight * gain);
        }
        gains
    }

    fn predict_beside(
        &self,
        shape: &Shape,
        process: &GaussianProcess,
        running: &[Seen],
        asked: &[Seen],
    ) -> Vec<Prediction> {
        let thought = process.predict(&self.seen, running, &Pairs::of(&self.seen, running));
        let both: Vec<Seen> = self.seen.iter().chain(running).cloned().collect();
        let believed: Vec<f64> =
            self.targets.iter().copied().chain(thought.iter().map(|one| one.mean)).collect();
        let beside = GaussianProcess::new(shape, &both, &Pairs::of(&both, &both), &believed);
        match beside {
            Some(beside) => beside.predict(&both, asked, &Pairs::of(&both, asked)),
            None => process.predict(&self.seen, asked, &Pairs::of(&self.seen, asked)),
        }
    }
}
