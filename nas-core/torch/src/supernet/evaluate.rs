//! Accuracy and loss of one mixture on batches it is not trained on.

use nas_plugin_api::component::Mixture;

use super::step::without_gradients;
use super::{Supernet, SupernetError};
use crate::batches::Batch;
use crate::evaluate::{Score, scalar};
use crate::loss::{correct, cross_entropy};
use crate::network::{Network, NetworkError, Norms};

impl Supernet {
    /// The logits of a batch in training mode.
    ///
    /// # Shapes
    /// `images`: `[batch, ..]`; logits `[batch, classes]`.
    /// # Errors
    /// [`SupernetError`]
    pub fn logits(
        &self,
        images: &tch::Tensor,
        mixture: &Mixture,
    ) -> Result<tch::Tensor, SupernetError> {
        let _no_grad = tch::no_grad_guard();
        let mixed = self.mixed(&without_gradients(mixture))?;
        let mut nothing = || Ok::<(), NetworkError>(());
        let mut outputs = self.network.forward_norms(images, &mixed, Norms::Batch, &mut nothing)?;
        Ok(outputs.swap_remove(0))
    }
}

/// Accuracy and loss over `n_batches`, with the statistics of [`Supernet::recalibrate`] if there
/// were any, else with each batch's own.
///
/// # Errors
/// [`SupernetError`], and what the next batch fails with.
pub fn evaluate_mixture(
    supernet: &Supernet,
    mixture: &Mixture,
    recalibrated: bool,
    n_batches: usize,
    next: &mut dyn FnMut(&Network) -> Result<Batch, SupernetError>,
) -> Result<Score, SupernetError> {
    let _no_grad = tch::no_grad_guard();
    let mut mixed = supernet.mixed(&without_gradients(mixture))?;
    (mixed.skip_dropout, mixed.drop_path) = (0.0, 0.0);
    let norms = if recalibrated { Norms::Averaged } else { Norms::Batch };
    let (mut right, mut loss, mut images) = (0.0, 0.0, 0.0);
    for _ in 0..n_batches {
        let batch = next(&supernet.network)?;
        let outputs = supernet
            .network
            .forward_norms(&batch.images, &mixed, norms, &mut || Ok::<(), NetworkError>(()))?;
        let n_images = batch.labels.numel() as f64;
        right += scalar(&correct(&outputs[0], &batch.labels)?)?;
        loss += n_images * scalar(&cross_entropy(&outputs[..1], &batch.labels, 0.0, 0.0)?)?;
        images += n_images;
    }
    if !loss.is_finite() {
        return Err(SupernetError::Diverged { step: "evaluation", loss });
    }
    Ok(Score { accuracy: right / f64::max(images, 1.0), loss: loss / f64::max(images, 1.0) })
}
