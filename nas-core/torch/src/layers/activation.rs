//! Element-wise functions and softmax.

use nas_plugin_api::graph;
use tch::{TchError, Tensor};

use super::{Call, Module};

#[derive(Debug)]
pub(super) struct Activation(pub(super) graph::Activation);

impl Module for Activation {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        use graph::Activation as F;
        let x = call.input()?;
        match self.0 {
            F::Relu if call.overwrite.is_some() => x.shallow_clone().f_relu_(),
            F::Relu => x.f_relu(),
            F::Relu6 => x.f_relu6(),
            F::LeakyRelu => x.f_leaky_relu(),
            F::Elu => x.f_elu(),
            F::Gelu => x.f_gelu("none"),
            F::Silu => x.f_silu(),
            F::HardSwish => x.f_hardswish(),
            F::HardSigmoid => x.f_hardsigmoid(),
            F::Sigmoid => x.f_sigmoid(),
            F::Tanh => x.f_tanh(),
            F::Mish => x.f_mish(),
            other => Err(TchError::Kind(format!("activation {other:?} is unknown to this worker"))),
        }
    }

    fn rectified<'a>(&self, values: &[&'a Tensor]) -> Option<&'a Tensor> {
        use graph::Activation as F;
        match self.0 {
            F::HardSigmoid | F::Sigmoid | F::Tanh => None,
            _ => values.first().copied(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Softmax {
    pub(super) axis: i64,
}

impl Module for Softmax {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        call.input()?.f_softmax(self.axis, None)
    }
}
