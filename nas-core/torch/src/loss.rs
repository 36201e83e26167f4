//! Cross-entropy over the logits and the auxiliary heads.

use tch::{Reduction, TchError, Tensor};

/// Mean cross-entropy of the logits, in nats, with the target's share `smoothing` spread over all
/// classes; plus `auxiliary_weight` times that of every auxiliary head.
///
/// # Shapes
/// `outputs`: each `[batch, classes]`, the logits first; `labels`: `[batch]`, class numbers.
/// # Errors
/// A label outside the classes, or whatever else libtorch refuses.
/// # Source
/// DARTS, `train.py`: the auxiliary loss has the criterion of the main one.
pub fn cross_entropy(
    outputs: &[Tensor],
    labels: &Tensor,
    smoothing: f64,
    auxiliary_weight: f64,
) -> Result<Tensor, TchError> {
    let one = |logits: &Tensor| {
        logits.f_cross_entropy_loss::<Tensor>(labels, None, Reduction::Mean, -100, smoothing)
    };
    let (logits, heads) =
        outputs.split_first().ok_or_else(|| TchError::Shape("a network without outputs".into()))?;
    let mut loss = one(logits)?;
    if auxiliary_weight > 0.0 {
        for head in heads {
            loss = loss.f_add(&one(head)?.f_mul_scalar(auxiliary_weight)?)?;
        }
    }
    Ok(loss)
}

/// How many labels are the largest logit.
///
/// # Errors
/// What libtorch refuses.
pub fn correct(logits: &Tensor, labels: &Tensor) -> Result<Tensor, TchError> {
    logits.f_argmax(1, false)?.f_eq_tensor(labels)?.f_sum(tch::Kind::Int64)
}
