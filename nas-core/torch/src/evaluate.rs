//! Accuracy and loss on a split, without any training.

use tch::TchError;

use crate::batches::Batches;
use crate::limits::Watch;
use crate::loss::{correct, cross_entropy};
use crate::network::{Network, Norms};
use crate::pixels::Pixels;
use crate::random::Random;
use crate::trial_error::TrialError;

/// What a network scores on a split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Share of the images whose largest logit is their label, 0 to 1.
    pub accuracy: f64,
    /// Mean cross-entropy without smoothing, in nats.
    pub loss: f64,
}

/// Evaluates in evaluation mode: every image once, unchanged, the last incomplete batch too.
///
/// # Errors
/// [`TrialError`]: a limit, libtorch, or a loss that is not finite.
pub fn evaluate(
    network: &Network,
    pixels: &Pixels,
    batch_size: usize,
    watch: &mut Watch,
) -> Result<Score, TrialError> {
    evaluate_with(network, Norms::Evaluation, pixels, batch_size, watch)
}

/// The same with a choice of what batch norms normalise by.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_with(
    network: &Network,
    norms: Norms,
    pixels: &Pixels,
    batch_size: usize,
    watch: &mut Watch,
) -> Result<Score, TrialError> {
    let _no_grad = tch::no_grad_guard();
    let mut batches = Batches::all(pixels, batch_size);
    let mut unused = Random::new(0, 0);
    let (mut right, mut loss) = (0.0, 0.0);
    for number in 0..batches.len() {
        let batch = batches.batch(number, network, &mut unused)?;
        let logits = network.logits(&batch.images, norms)?;
        let images = batch.labels.numel() as f64;
        right += scalar(&correct(&logits, &batch.labels)?)?;
        loss += images * scalar(&cross_entropy(&[logits], &batch.labels, 0.0, 0.0)?)?;
        watch.check()?;
    }
    let images = pixels.n_images().max(1) as f64;
    match loss.is_finite() {
        true => Ok(Score { accuracy: right / images, loss: loss / images }),
        false => Err(TrialError::Diverged { what: "the loss in evaluation", epoch: None }),
    }
}

pub(crate) fn scalar(tensor: &tch::Tensor) -> Result<f64, TchError> {
    tensor.f_double_value(&[])
}
