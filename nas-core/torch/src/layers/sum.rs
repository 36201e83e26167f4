//! Sums, products and constant factors.

use tch::{TchError, Tensor};

use super::{Call, Module};

/// The sum of all inputs, from the first to the last.
#[derive(Debug)]
pub(super) struct Sum;

impl Module for Sum {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let [first, second] = match call.inputs {
            [only] => return Ok(only.shallow_clone()),
            _ => call.two()?,
        };
        let mut sum = match call.overwrite {
            Some(0) => first.shallow_clone().f_add_(second)?,
            Some(_) => second.shallow_clone().f_add_(first)?,
            None => first.f_add(second)?,
        };
        for term in &call.inputs[2..] {
            sum = sum.f_add_(term)?;
        }
        Ok(sum)
    }
}

#[derive(Debug)]
pub(super) struct Product;

impl Module for Product {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let [first, second] = call.two()?;
        first.f_mul(second)
    }
}

#[derive(Debug)]
pub(super) struct Scale {
    pub(super) factor: f64,
}

impl Module for Scale {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        call.input()?.f_mul_scalar(self.factor)
    }
}
