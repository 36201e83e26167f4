//! Dropout of elements and of whole examples.

use tch::{TchError, Tensor};

use super::{Call, Module};

#[derive(Debug)]
pub(super) struct Dropout {
    pub(super) probability: f64,
}

impl Module for Dropout {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        call.input()?.f_dropout(self.probability, call.pass.training)
    }
}

/// Sets whole examples to zero and divides the rest by the probability of being kept.
///
/// # Source
/// DARTS, `utils.py: drop_path`.
#[derive(Debug)]
pub(super) struct DropPath;

impl Module for DropPath {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let x = call.input()?;
        if !call.pass.training || call.pass.drop_path <= 0.0 {
            return Ok(x.shallow_clone());
        }
        drop_examples(x, call.pass.drop_path, call.pass.batch)
    }
}

/// Drops each example with this probability and divides the rest by that of being kept.
pub(super) fn drop_examples(x: &Tensor, probability: f64, batch: i64) -> Result<Tensor, TchError> {
    let keep = 1.0 - probability;
    let mut size = vec![1; x.dim()];
    size[0] = batch;
    let mut mask = Tensor::f_empty(size, (x.kind(), x.device()))?;
    let mask = mask.f_bernoulli_float_(keep)?.f_div_scalar_(keep)?;
    x.f_mul(&mask)
}
