//! Optimisers over the flat buffers of [`crate::parameters`].

mod adam;
mod clip;
mod sgd;

pub use adam::Adam;
pub use clip::clip_norm;
pub use sgd::Sgd;

use nas_core::protocol::recipe::{self, Recipe};
use tch::{TchError, Tensor};

use crate::parameters::Parameters;

/// Changes all parameters by their gradients.
pub trait Optimizer: std::fmt::Debug {
    /// One step at this learning rate.
    ///
    /// # Errors
    /// What libtorch says, in want of memory for instance.
    fn step(&mut self, parameters: &mut Parameters, learning_rate: f64) -> Result<(), TchError>;

    /// What it remembers from step to step: buffers that share their memory with it.
    fn buffers(&self) -> Vec<Tensor>;

    /// Steps taken, where its rule depends on them; else 0.
    fn steps(&self) -> i32 {
        0
    }

    /// Goes on as after so many steps.
    fn set_steps(&mut self, steps: i32) {
        let _ = steps;
    }
}

/// The optimiser that a recipe names.
///
/// # Errors
/// What libtorch says, in want of memory for instance.
pub fn create(recipe: &Recipe, parameters: &Parameters) -> Result<Box<dyn Optimizer>, TchError> {
    let decay = recipe.weight_decay;
    Ok(match recipe.optimizer {
        recipe::Optimizer::Sgd => {
            Box::new(Sgd::new(parameters, recipe.momentum, recipe.nesterov, decay)?)
        }
        recipe::Optimizer::Adam => Box::new(Adam::new(parameters, decay, false)?),
        recipe::Optimizer::Adamw => Box::new(Adam::new(parameters, decay, true)?),
    })
}
