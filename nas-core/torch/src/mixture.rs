//! The numbers of a mixture during one pass through a supernet.

use nas_plugin_api::component::{Mixture, Need};
use tch::{TchError, Tensor};

/// Why a mixture can't be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MixtureError {
    /// It has another length than the supernet has paths.
    #[error("the strategy sent {weights} weights and {needs} needs, but there are {paths} paths")]
    Length {
        /// Weights it has.
        weights: usize,
        /// Needs it has.
        needs: usize,
        /// Paths there are.
        paths: usize,
    },
    /// A weight is negative or no number.
    #[error(
        "the strategy sent the weight {weight} for path {path}; weights are finite and at least 0"
    )]
    Weight {
        /// The path.
        path: usize,
        /// The weight.
        weight: f64,
    },
}

/// A mixture on the autograd tape.
#[derive(Debug)]
pub struct Mixed {
    needs: Vec<Need>,
    numbers: Vec<f64>,
    /// The weights and, last, a 1; a leaf where a gradient is asked for.
    leaf: Tensor,
    has_gradient: bool,
    /// Probability of dropout behind identity paths, in `[0, 1)`.
    pub skip_dropout: f64,
    /// Probability of dropping whole examples behind all other paths, in `[0, 1)`.
    pub drop_path: f64,
}

impl Mixed {
    /// Takes a strategy's numbers.
    ///
    /// # Errors
    /// [`MixtureError`] for numbers that make no mixture of `n_paths` paths.
    pub fn new(mixture: &Mixture, n_paths: usize) -> Result<Self, MixtureError> {
        let Mixture { weights, needs } = mixture;
        if weights.len() != n_paths || needs.len() != n_paths {
            let (weights, needs) = (weights.len(), needs.len());
            return Err(MixtureError::Length { weights, needs, paths: n_paths });
        }
        let wrong = |(_, weight): &(usize, &f64)| !weight.is_finite() || **weight < 0.0;
        if let Some((path, &weight)) = weights.iter().enumerate().find(wrong) {
            return Err(MixtureError::Weight { path, weight });
        }
        let has_gradient = needs.contains(&Need::ForwardGrad);
        let mut numbers = weights.clone();
        numbers.push(1.0);
        let leaf = Tensor::from_slice(&numbers).set_requires_grad(has_gradient);
        let needs = needs.clone();
        Ok(Self { needs, numbers, leaf, has_gradient, skip_dropout: 0.0, drop_path: 0.0 })
    }

    /// What is needed of each path.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// The gradient of the weights after a backward pass; NaN where none was asked for.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn gradient(&self) -> Result<Vec<f64>, TchError> {
        let n_paths = self.needs.len();
        let gradient = self.leaf.f_grad()?;
        let numbers: Vec<f64> = match self.has_gradient && gradient.defined() {
            true => Vec::try_from(gradient.f_narrow(0, 0, n_paths as i64)?.f_contiguous()?)?,
            false => vec![0.0; n_paths],
        };
        let asked = |(number, &need): (f64, &Need)| match need {
            Need::ForwardGrad => number,
            _ => f64::NAN,
        };
        Ok(numbers.into_iter().zip(&self.needs).map(asked).collect())
    }

    pub(crate) fn skips(&self, path: usize) -> bool {
        self.needs.get(path) == Some(&Need::Skip)
    }

    pub(crate) fn drops(&self) -> bool {
        self.skip_dropout > 0.0 || self.drop_path > 0.0
    }

    /// For each term the product of its paths' weights, `[terms]` in 64 bits.
    pub(crate) fn products<'a>(
        &self,
        terms: impl Iterator<Item = &'a [usize]> + Clone,
    ) -> Result<Tensor, TchError> {
        let wanted = |&path: &usize| self.needs.get(path) == Some(&Need::ForwardGrad);
        if !self.has_gradient || !terms.clone().flatten().any(wanted) {
            let product = |paths: &[usize]| paths.iter().map(|&path| self.numbers[path]).product();
            let numbers: Vec<f64> = terms.map(product).collect();
            return Tensor::f_from_slice(&numbers);
        }
        // Factor by factor; a term with fewer factors is multiplied by the 1 behind the weights.
        let n_factors = terms.clone().map(<[usize]>::len).max().unwrap_or(0).max(1);
        let one = self.needs.len();
        let factor = |factor: usize| {
            let at = |paths: &[usize]| paths.get(factor).copied().unwrap_or(one) as i64;
            let positions: Vec<i64> = terms.clone().map(at).collect();
            self.leaf.f_index_select(0, &Tensor::f_from_slice(&positions)?)
        };
        (1..n_factors).try_fold(factor(0)?, |product, next| product.f_mul(&factor(next)?))
    }
}
