//! How the architecture weights of one choice become the weights of its paths.
//!
//! The rules themselves are in the toolkit; here they share one form: a draw, its mean where
//! nothing random is wanted, and the pull-back of either.

use nas_plugin_api::toolkit::rng::Generator;
use nas_plugin_api::toolkit::{dirichlet, gumbel, sigmoid, softmax};

/// A rule for the paths of one choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Relaxation {
    /// Softmax (DARTS, PC-DARTS, P-DARTS).
    Softmax,
    /// Every path for itself (FairDARTS).
    Sigmoid,
    /// Softmax of `(alpha + Gumbel noise) / temperature`, all paths computed (SNAS).
    GumbelSoftmax {
        /// Above 0; the smaller, the closer to one path.
        temperature: f64,
    },
    /// The strongest path of the above alone, with weight 1; the gradient is that of the soft
    /// weights (GDAS).
    StraightThrough {
        /// Above 0.
        temperature: f64,
    },
    /// A draw from a Dirichlet distribution (DrNAS).
    Dirichlet,
}

/// The weights of one choice's paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The soft weights, which the pull-back needs.
    pub soft: Vec<f64>,
    /// The one path that is computed, with weight 1; absent where all are, with the soft weights.
    pub open: Option<usize>,
}

impl Relaxation {
    /// Draws the weights for one forward pass.
    ///
    /// # Shapes
    /// `alpha` has one number per path of one choice, at least one.
    pub fn draw(self, alpha: &[f64], rng: &mut Generator) -> Drawn {
        match self {
            Self::Softmax | Self::Sigmoid => Drawn { soft: self.mean(alpha), open: None },
            Self::Dirichlet => {
                let mut soft = vec![0.0; alpha.len()];
                dirichlet::draw(alpha, rng, &mut soft);
                Drawn { soft, open: None }
            }
            Self::GumbelSoftmax { .. } | Self::StraightThrough { .. } => {
                let mut noise = vec![0.0; alpha.len()];
                gumbel::noise(rng, &mut noise);
                self.with_noise(alpha, &noise)
            }
        }
    }

    /// The weights under this Gumbel noise, which rules without it ignore.
    #[must_use]
    pub fn with_noise(self, alpha: &[f64], noise: &[f64]) -> Drawn {
        let (Self::GumbelSoftmax { temperature } | Self::StraightThrough { temperature }) = self
        else {
            return Drawn { soft: self.mean(alpha), open: None };
        };
        let mut soft = vec![0.0; alpha.len()];
        gumbel::relax(alpha, noise, temperature, &mut soft);
        let is_hard = matches!(self, Self::StraightThrough { .. });
        let open = is_hard.then(|| softmax::strongest(&soft));
        Drawn { soft, open }
    }

    /// The gradient in `alpha` that belongs to a gradient in the drawn weights; absent gradients
    /// (NaN) count as 0.
    ///
    /// # Shapes
    /// One number per path everywhere.
    #[must_use]
    pub fn pull_back(self, alpha: &[f64], soft: &[f64], gradient: &[f64]) -> Vec<f64> {
        let mut result = vec![0.0; alpha.len()];
        match self {
            Self::Softmax => softmax::pull_back(soft, gradient, 1.0, &mut result),
            Self::Sigmoid => sigmoid::pull_back(soft, gradient, &mut result),
            Self::GumbelSoftmax { temperature } | Self::StraightThrough { temperature } => {
                gumbel::pull_back(soft, gradient, temperature, &mut result);
            }
            Self::Dirichlet => dirichlet::pull_back(alpha, soft, gradient, &mut result),
        }
        result
    }

    /// The weights without randomness: the probabilities of the paths, or the mean of the draws.
    #[must_use]
    pub fn mean(self, alpha: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; alpha.len()];
        match self {
            Self::Sigmoid => sigmoid::relax(alpha, &mut weights),
            Self::Dirichlet => dirichlet::mean(alpha, &mut weights),
            // Gumbel noise makes a path the strongest as often as the softmax says.
            Self::Softmax | Self::GumbelSoftmax { .. } | Self::StraightThrough { .. } => {
                softmax::relax(alpha, 1.0, &mut weights);
            }
        }
        weights
    }

    /// The gradient in `alpha` that belongs to a gradient in [`Relaxation::mean`].
    #[must_use]
    pub fn pull_back_mean(self, alpha: &[f64], gradient: &[f64]) -> Vec<f64> {
        let mut result = vec![0.0; alpha.len()];
        match self {
            Self::Dirichlet => dirichlet::pull_back_mean(alpha, gradient, &mut result),
            Self::Sigmoid => sigmoid::pull_back(&self.mean(alpha), gradient, &mut result),
            Self::Softmax | Self::GumbelSoftmax { .. } | Self::StraightThrough { .. } => {
                softmax::pull_back(&self.mean(alpha), gradient, 1.0, &mut result);
            }
        }
        result
    }
}
