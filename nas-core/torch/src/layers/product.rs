//! Products and constant factors.

use tch::{TchError, Tensor};

use super::{Call, Module};

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
