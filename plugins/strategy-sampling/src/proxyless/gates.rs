//! Drawing paths, and the gradient of the architecture weights.
//!
//! # Source
//! Cai, Zhu, Han. ProxylessNAS, ICLR 2019, sections 3.2 and 3.2.1; `mit-han-lab/proxylessnas@bf58b5c`:
//! search/modules/mix_op.py.
//! Differs: where a choice picks several paths (edges of a node), they are drawn one after another
//! without replacement, and the gradient is that of the softmax they are drawn by.

use nas_plugin_api::component::{Mixture, Need};
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::toolkit::gates::{Pair, draw};
use nas_plugin_api::toolkit::rng::Generator;
use nas_plugin_api::toolkit::softmax;

use super::choices::{Choices, Searched};

/// What was drawn for one choice; numbers count the choice's own paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(super) enum Drawn {
    /// These are open; all are computed.
    All { open: Vec<usize>, probabilities: Vec<f64> },
    /// The first is open, the second computed and shut; with their share of the probability.
    Two { paths: [usize; 2], probabilities: [f64; 2] },
}

impl Drawn {
    /// Draws the open paths by the architecture weights.
    pub(super) fn all(searched: &Searched, alpha: &[f64], rng: &mut Generator) -> Self {
        let probabilities = searched.probabilities(alpha);
        let mut left = probabilities.clone();
        let open = (0..searched.picked)
            .map(|_| {
                let path = draw(&left, rng);
                left[path] = 0.0;
                path
            })
            .collect();
        Self::All { open, probabilities }
    }

    /// Draws two paths and opens one of them; all, where rounding leaves only one to draw.
    pub(super) fn two(searched: &Searched, alpha: &[f64], rng: &mut Generator) -> Self {
        match Pair::draw(&searched.probabilities(alpha), rng) {
            Some(Pair { paths, probabilities }) => Self::Two { paths, probabilities },
            None => Self::all(searched, alpha, rng),
        }
    }

    fn open(&self) -> &[usize] {
        match self {
            Self::All { open, .. } => open,
            Self::Two { paths, .. } => &paths[..1],
        }
    }

    /// Whether the architecture weights stay as they are.
    pub(super) fn is_frozen(&self, searched: &Searched) -> bool {
        self.open().iter().any(|&path| searched.freezes[path])
    }

    /// What is expected to be paid for the choice.
    pub(super) fn expected_cost(&self, searched: &Searched, costs: &[f64]) -> f64 {
        let own = searched.own(costs);
        match self {
            Self::All { probabilities, .. } => {
                let mean: f64 = probabilities.iter().zip(&own).map(|(p, cost)| p * cost).sum();
                searched.picked as f64 * mean
            }
            Self::Two { paths, probabilities } => {
                probabilities[0] * own[paths[0]] + probabilities[1] * own[paths[1]]
            }
        }
    }

    /// The gradient in the architecture weights that belongs to a gradient in the gates; 0 for
    /// paths that were not drawn, as in the source, whose optimiser ages them all.
    pub(super) fn pull_back(&self, searched: &Searched, gradient: &[f64]) -> Vec<f64> {
        let own = searched.own(gradient);
        let mut result = vec![0.0; own.len()];
        match self {
            Self::All { probabilities, .. } => {
                softmax::pull_back(probabilities, &own, 1.0, &mut result);
            }
            Self::Two { paths, probabilities } => {
                let pair = Pair { paths: *paths, probabilities: *probabilities };
                let present = |path: usize| if own[path].is_nan() { 0.0 } else { own[path] };
                let pulled = pair.pull_back([present(paths[0]), present(paths[1])]);
                paths.iter().zip(pulled).for_each(|(&path, slope)| result[path] = slope);
            }
        }
        result
    }

    /// After a step, gives two drawn paths together the probability that they had.
    pub(super) fn rescale(&self, searched: &Searched, before: &[f64], alpha: &mut [f64]) {
        if let Self::Two { paths, probabilities } = self {
            let pair = Pair { paths: *paths, probabilities: *probabilities };
            let mut own = searched.own(alpha);
            pair.keep_mass(&searched.own(before), &mut own);
            paths.iter().for_each(|&path| alpha[searched.paths[path]] = own[path]);
        }
    }
}

/// The mixture that trains the open paths alone.
pub(super) fn open_paths(choices: &Choices, drawn: &[Drawn], n_paths: usize) -> Mixture {
    let mut mixture = nothing(choices, n_paths);
    for (searched, drawn) in choices.searched.iter().zip(drawn) {
        for &path in drawn.open() {
            mixture.weights[searched.paths[path]] = 1.0;
            mixture.needs[searched.paths[path]] = Need::Forward;
        }
    }
    mixture
}

/// The mixture that also computes shut paths, for the gradient in their gates.
pub(super) fn gated_paths(choices: &Choices, drawn: &[Drawn], n_paths: usize) -> Mixture {
    let mut mixture = open_paths(choices, drawn, n_paths);
    for (searched, drawn) in choices.searched.iter().zip(drawn) {
        match drawn {
            Drawn::All { .. } => {
                searched.paths.iter().for_each(|&path| mixture.needs[path] = Need::ForwardGrad);
            }
            Drawn::Two { paths, .. } => paths
                .iter()
                .for_each(|&path| mixture.needs[searched.paths[path]] = Need::ForwardGrad),
        }
    }
    mixture
}

/// The mixture of what every genotype picks.
pub(super) fn nothing(choices: &Choices, n_paths: usize) -> Mixture {
    let mut mixture = Mixture { weights: vec![0.0; n_paths], needs: vec![Need::Skip; n_paths] };
    for &path in &choices.always {
        mixture.weights[path] = 1.0;
        mixture.needs[path] = Need::Forward;
    }
    mixture
}
