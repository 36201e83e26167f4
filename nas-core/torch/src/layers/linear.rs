//! Matrix products, with learnt weights and between two inputs.

use nas_plugin_api::graph;
use tch::{TchError, Tensor};

use super::{Call, Module};
use crate::parameters::{Declarations, LearntIndex, NamedTensor};

#[derive(Debug)]
pub(super) struct Linear {
    weight: LearntIndex,
    bias: Option<LearntIndex>,
}

impl Linear {
    pub(super) fn new(
        linear: &graph::Linear,
        name: &str,
        features: i64,
        declare: &mut Declarations,
    ) -> Self {
        let size = [linear.out_features as i64, features];
        let (weight, bias) = declare.weight_and_bias(name, &size, linear.bias);
        Self { weight, bias }
    }
}

impl Module for Linear {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let learnt = call.pass.learnt;
        call.input()?
            .f_linear(&learnt[self.weight].tensor, self.bias.map(|bias| &learnt[bias].tensor))
    }

    fn multiply_adds(&self, learnt: &[NamedTensor], values: &[&Tensor]) -> u64 {
        let weight = &learnt[self.weight].tensor;
        let rows = values.last().map_or(0, |result| result.numel()) as u64;
        rows * weight.size().last().map_or(0, |&features| features as u64)
    }
}

#[derive(Debug)]
pub(super) struct MatMul {
    pub(super) transpose_second: bool,
}

impl Module for MatMul {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let [first, second] = call.two()?;
        match self.transpose_second {
            true => first.f_matmul(&second.f_transpose(-2, -1)?),
            false => first.f_matmul(second),
        }
    }

    fn multiply_adds(&self, _learnt: &[NamedTensor], values: &[&Tensor]) -> u64 {
        match values {
            [first, .., result] => {
                let inner = first.size().last().map_or(0, |&extent| extent as u64);
                result.numel() as u64 * inner
            }
            _ => 0,
        }
    }
}
