//! The architecture gradient of second order.

use nas_plugin_api::component::Mixture;
use tch::{TchError, Tensor};

use super::step::Of;
use super::{StepResult, Supernet, SupernetError};
use crate::batches::Batch;
use crate::evaluate::scalar;

/// Finite differences move all weights by this much in all.
const DISTANCE: f64 = 0.01;

impl Supernet {
    /// The gradient of the validation loss after one virtual step of the weights on the training
    /// batch, in the mixture. The weights are afterwards what they were.
    ///
    /// The three gradients are made at one mixture, so they are added up here; a strategy's
    /// pull-back is linear.
    ///
    /// # Errors
    /// [`SupernetError`]
    /// # Source
    /// Liu et al., DARTS, ICLR 2019, section 2.3, equations 7 and 8; `quark0/darts@f276dd3`:
    /// cnn/architect.py. The virtual step has the momentum buffer and the weight decay, and no
    /// clipping.
    /// Differs: the weights are copied back, not moved back, so no rounding is left in them.
    pub fn look_ahead(
        &mut self,
        train: &Batch,
        validation: &Batch,
        mixture: &Mixture,
    ) -> Result<StepResult, SupernetError> {
        let weights = copied(self.network.parameters().values())?;
        let result = self.look_ahead_from(&weights, train, validation, mixture);
        self.move_to(&weights, None)?;
        result
    }

    fn look_ahead_from(
        &mut self,
        weights: &Tensor,
        train: &Batch,
        validation: &Batch,
        mixture: &Mixture,
    ) -> Result<StepResult, SupernetError> {
        let rate = self.settings.learning_rate;
        let constant = self.mixed(&super::step::without_gradients(mixture))?;
        self.backward(train, &constant, Of::Weights, "virtual weight step")?;
        self.virtual_step(rate)?;

        let mixed = self.mixed(mixture)?;
        let mut result = self.backward(validation, &mixed, Of::Weights, "architecture step")?;
        result.gradient = mixed.gradient()?;
        let direction = copied(self.network.parameters().gradients())?;
        let norm = scalar(&direction.f_norm()?)?;
        if norm == 0.0 {
            return Ok(result);
        }
        let distance = DISTANCE / norm;
        let mut sides = [Vec::new(), Vec::new()];
        for (side, sign) in sides.iter_mut().zip([1.0, -1.0]) {
            self.move_to(weights, Some((&direction, sign * distance)))?;
            let mixed = self.mixed(mixture)?;
            self.backward(train, &mixed, Of::Mixture, "finite difference")?;
            *side = mixed.gradient()?;
        }
        let [above, below] = sides;
        for (gradient, (above, below)) in
            result.gradient.iter_mut().zip(above.into_iter().zip(below))
        {
            *gradient -= rate * (above - below) / (2.0 * distance);
        }
        Ok(result)
    }

    /// `w − η·(momentum·buffer + gradient + decay·w)`.
    fn virtual_step(&mut self, rate: f64) -> Result<(), SupernetError> {
        let _no_grad = tch::no_grad_guard();
        let Self { network, optimizer, settings, .. } = self;
        let (values, gradients) = network.parameters_mut().values_and_gradients_mut();
        let mut step = values.f_mul_scalar(settings.weight_decay)?;
        let mut step = step.f_add_(gradients)?;
        let step = step.f_add_(&optimizer.velocity().f_mul_scalar(settings.momentum)?)?;
        let _ = values.f_sub_(&step.f_mul_scalar(rate)?)?;
        Ok(())
    }

    /// Sets all weights, perhaps moved along a direction.
    fn move_to(
        &mut self,
        weights: &Tensor,
        along: Option<(&Tensor, f64)>,
    ) -> Result<(), SupernetError> {
        let _no_grad = tch::no_grad_guard();
        let (values, _) = self.network.parameters_mut().values_and_gradients_mut();
        values.f_copy_(weights)?;
        if let Some((direction, distance)) = along {
            let _ = values.f_add_(&direction.f_mul_scalar(distance)?)?;
        }
        Ok(())
    }
}

fn copied(numbers: &Tensor) -> Result<Tensor, TchError> {
    let _no_grad = tch::no_grad_guard();
    let mut copy = numbers.f_empty_like()?;
    copy.f_copy_(numbers)?;
    Ok(copy)
}
