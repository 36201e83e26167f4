//! Adam, with weight decay in the gradient or decoupled (AdamW).

use tch::{TchError, Tensor};

use super::Optimizer;
use crate::parameters::Parameters;

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// PyTorch's Adam and AdamW with default betas, on flat buffers.
#[derive(Debug)]
pub struct Adam {
    weight_decay: f64,
    decoupled: bool,
    steps: i32,
    mean: Tensor,
    square: Tensor,
}

impl Adam {
    /// For parameters of this size; `decoupled` makes it AdamW.
    ///
    /// # Errors
    /// Want of memory.
    pub fn new(
        parameters: &Parameters,
        weight_decay: f64,
        decoupled: bool,
    ) -> Result<Self, TchError> {
        let (mean, square) =
            (parameters.values().f_zeros_like()?, parameters.values().f_zeros_like()?);
        Ok(Self { weight_decay, decoupled, steps: 0, mean, square })
    }
}

impl Optimizer for Adam {
    /// # Source
    /// PyTorch, `torch.optim.Adam` and `AdamW`: the bias corrections divide the step and, inside
    /// the root, the mean square; epsilon is added outside the root.
    fn step(&mut self, parameters: &mut Parameters, learning_rate: f64) -> Result<(), TchError> {
        let _no_grad = tch::no_grad_guard();
        let (values, gradients) = parameters.values_and_gradients_mut();
        self.steps += 1;
        if self.decoupled {
            let _ = values.f_mul_scalar_(1.0 - learning_rate * self.weight_decay)?;
        } else if self.weight_decay != 0.0 {
            let _ = gradients.f_add_(&values.f_mul_scalar(self.weight_decay)?)?;
        }
        let [beta_mean, beta_square] = BETAS;
        let _ = self.mean.f_lerp_(gradients, 1.0 - beta_mean)?;
        let mut square = gradients.f_square()?;
        let _ = self
            .square
            .f_mul_scalar_(beta_square)?
            .f_add_(&square.f_mul_scalar_(1.0 - beta_square)?)?;
        let correction = [beta_mean, beta_square].map(|beta| 1.0 - beta.powi(self.steps));
        let mut root = self.square.f_sqrt()?;
        let root = root.f_div_scalar_(correction[1].sqrt())?.f_add_scalar_(EPSILON)?;
        let step = self.mean.f_div(&root)?.f_mul_scalar_(learning_rate / correction[0])?;
        let _ = values.f_sub_(&step)?;
        Ok(())
    }

    fn buffers(&self) -> Vec<Tensor> {
        vec![self.mean.shallow_clone(), self.square.shallow_clone()]
    }

    fn steps(&self) -> i32 {
        self.steps
    }

    fn set_steps(&mut self, steps: i32) {
        self.steps = steps;
    }
}
