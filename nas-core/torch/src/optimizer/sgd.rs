//! Stochastic gradient descent with momentum.

use tch::{TchError, Tensor};

use super::Optimizer;
use crate::parameters::Parameters;

/// PyTorch's SGD without dampening, on flat buffers.
#[derive(Debug)]
pub struct Sgd {
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    velocity: Tensor,
}

impl Sgd {
    /// For parameters of this size.
    ///
    /// # Errors
    /// Want of memory.
    pub fn new(
        parameters: &Parameters,
        momentum: f64,
        nesterov: bool,
        weight_decay: f64,
    ) -> Result<Self, TchError> {
        let velocity = parameters.values().f_zeros_like()?;
        Ok(Self { momentum, nesterov, weight_decay, velocity })
    }

    /// Changes the settings; the momentum buffer stays.
    pub fn set(&mut self, momentum: f64, nesterov: bool, weight_decay: f64) {
        (self.momentum, self.nesterov, self.weight_decay) = (momentum, nesterov, weight_decay);
    }

    /// The momentum buffer, flat like the parameters.
    pub fn velocity(&self) -> &Tensor {
        &self.velocity
    }

    /// The same, to change it.
    pub fn velocity_mut(&mut self) -> &mut Tensor {
        &mut self.velocity
    }
}

impl Optimizer for Sgd {
    /// # Source
    /// PyTorch, `torch.optim.SGD`: g += decay·w; v = momentum·v + g; w −= lr·v, or in Nesterov's
    /// form w −= lr·(g + momentum·v).
    fn step(&mut self, parameters: &mut Parameters, learning_rate: f64) -> Result<(), TchError> {
        let _no_grad = tch::no_grad_guard();
        let (values, gradients) = parameters.values_and_gradients_mut();
        if self.weight_decay != 0.0 {
            let _ = gradients.f_add_(&values.f_mul_scalar(self.weight_decay)?)?;
        }
        if self.momentum == 0.0 {
            let _ = values.f_sub_(&gradients.f_mul_scalar(learning_rate)?)?;
            return Ok(());
        }
        let _ = self.velocity.f_mul_scalar_(self.momentum)?.f_add_(gradients)?;
        if self.nesterov {
            let _ = gradients.f_add_(&self.velocity.f_mul_scalar(self.momentum)?)?;
            let _ = values.f_sub_(&gradients.f_mul_scalar(learning_rate)?)?;
        } else {
            let _ = values.f_sub_(&self.velocity.f_mul_scalar(learning_rate)?)?;
        }
        Ok(())
    }

    fn buffers(&self) -> Vec<Tensor> {
        vec![self.velocity.shallow_clone()]
    }
}
