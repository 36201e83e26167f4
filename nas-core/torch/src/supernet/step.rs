//! Steps of the weights, and looks at the mixture's gradient.

use nas_plugin_api::component::Mixture;
use tch::Tensor;

use super::{StepResult, Supernet, SupernetError};
use crate::batches::Batch;
use crate::evaluate::scalar;
use crate::loss::{correct, cross_entropy};
use crate::mixture::Mixed;
use crate::network::NetworkError;
use crate::optimizer::{Optimizer, clip_norm};

/// Whose gradients a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The mixture's alone: no weight needs one.
    Mixture,
    /// The weights', and the mixture's where it asks for one.
    Weights,
}

impl Supernet {
    /// One step of the weights; the mixture is constant.
    ///
    /// # Errors
    /// [`SupernetError`]
    pub fn train_weights(
        &mut self,
        batch: &Batch,
        mixture: &Mixture,
    ) -> Result<StepResult, SupernetError> {
        let constant = without_gradients(mixture);
        let mixed = self.mixed(&constant)?;
        let mut result = self.backward(batch, &mixed, Of::Weights, "weight step")?;
        result.gradient = Vec::new();
        self.step_weights()?;
        Ok(result)
    }

    /// The gradient of one batch's loss in the mixture; the weights stay.
    ///
    /// # Errors
    /// [`SupernetError`]
    pub fn look(&mut self, batch: &Batch, mixture: &Mixture) -> Result<StepResult, SupernetError> {
        let mixed = self.mixed(mixture)?;
        let mut result = self.backward(batch, &mixed, Of::Mixture, "architecture step")?;
        result.gradient = mixed.gradient()?;
        Ok(result)
    }

    /// Loss and accuracy of one batch in training mode, without any gradient.
    ///
    /// # Errors
    /// [`SupernetError`]
    pub fn reward(
        &mut self,
        batch: &Batch,
        mixture: &Mixture,
    ) -> Result<StepResult, SupernetError> {
        let _no_grad = tch::no_grad_guard();
        let mixed = self.mixed(&without_gradients(mixture))?;
        let (_, mut result) = self.forward(batch, &mixed, 0.0, "reward")?;
        result.gradient = Vec::new();
        Ok(result)
    }

    /// Both gradients from one batch; the weights take their step.
    ///
    /// # Errors
    /// [`SupernetError`]
    pub fn single_level(
        &mut self,
        batch: &Batch,
        mixture: &Mixture,
    ) -> Result<StepResult, SupernetError> {
        let mixed = self.mixed(mixture)?;
        let mut result = self.backward(batch, &mixed, Of::Weights, "single-level step")?;
        result.gradient = mixed.gradient()?;
        self.step_weights()?;
        Ok(result)
    }

    /// Loss and accuracy, with the loss on the autograd tape.
    pub(super) fn forward(
        &self,
        batch: &Batch,
        mixed: &Mixed,
        label_smoothing: f64,
        step: &'static str,
    ) -> Result<(Tensor, StepResult), SupernetError> {
        let outputs =
            self.network.forward_mixed(&batch.images, mixed, &mut || Ok::<(), NetworkError>(()))?;
        let auxiliary = self.settings.auxiliary_weight;
        let loss = cross_entropy(&outputs, &batch.labels, label_smoothing, auxiliary)?;
        let value = scalar(&loss)?;
        if !value.is_finite() {
            return Err(SupernetError::Diverged { step, loss: value });
        }
        let right = scalar(&correct(&outputs[0].detach(), &batch.labels)?)?;
        let accuracy = right / batch.labels.numel() as f64;
        Ok((loss, StepResult { loss: value, accuracy, gradient: Vec::new() }))
    }

    /// Leaves the gradients in the parameters' flat buffer, and in the mixture.
    pub(super) fn backward(
        &mut self,
        batch: &Batch,
        mixed: &Mixed,
        of: Of,
        step: &'static str,
    ) -> Result<StepResult, SupernetError> {
        let smoothing = match of {
            Of::Weights => self.settings.label_smoothing,
            Of::Mixture => 0.0,
        };
        self.network.parameters().learn(of == Of::Weights)?;
        let (loss, result) = self.forward(batch, mixed, smoothing, step)?;
        if of == Of::Weights {
            let (_, gradients) = self.network.parameters_mut().values_and_gradients_mut();
            let _ = gradients.f_zero_()?;
        }
        if loss.requires_grad() {
            loss.f_backward()?;
        }
        Ok(result)
    }

    fn step_weights(&mut self) -> Result<(), SupernetError> {
        let Self { network, optimizer, settings, .. } = self;
        if settings.gradient_clip > 0.0 {
            let (_, gradients) = network.parameters_mut().values_and_gradients_mut();
            clip_norm(gradients, settings.gradient_clip)?;
        }
        Ok(optimizer.step(network.parameters_mut(), settings.learning_rate)?)
    }
}

/// The same mixture as a constant.
pub(super) fn without_gradients(mixture: &Mixture) -> Mixture {
    use nas_plugin_api::component::Need;
    let constant = |(&need, &weight): (&Need, &f64)| match need {
        Need::ForwardGrad if weight == 0.0 => Need::Skip,
        Need::ForwardGrad => Need::Forward,
        other => other,
    };
    let needs = mixture.needs.iter().zip(&mixture.weights).map(constant).collect();
    Mixture { weights: mixture.weights.clone(), needs }
}
