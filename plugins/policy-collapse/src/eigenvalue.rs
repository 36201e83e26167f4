//! The rule of RobustDARTS: the mean of the largest eigenvalue rises by 30 % within a few evaluations.
//!
//! A mean over the last `window` evaluations belongs to the one in their middle. It is compared with
//! the mean `distance` evaluations before, and the search goes back to the epoch to which that mean
//! belongs. With the published numbers (an evaluation every 2 epochs, 5 in a mean, 4 between means, no
//! way back before epoch 10) epoch 22 is the first to be judged, and the way back is 12 epochs; with an
//! evaluation every epoch it is epoch 16 and 6 epochs.
//!
//! # Source
//! Zela et al. ICLR 2020, section 4.3; `automl/RobustDARTS@3dec3fe`: src/utils.py `EVLocalAvg`.
//! Differs: a mean that was not positive before gives no verdict, where the source divides by it.

use crate::signal::Signal;
use crate::{CollapseConfig, Finding};

/// Judges the last evaluation.
pub(crate) fn judge(eigenvalues: &Signal, config: &CollapseConfig) -> Option<Finding> {
    let values = eigenvalues.values();
    let last = values.len().checked_sub(1)?;
    let before = last.checked_sub(config.distance)?;
    let (epoch, _) = values[before.checked_sub(config.window / 2)?];
    if epoch < config.first_epoch {
        return None;
    }
    let (now, then) = (mean(values, last, config.window), mean(values, before, config.window));
    if then <= 0.0 || now / then <= config.ratio {
        return None;
    }
    let reason = format!(
        "the largest eigenvalue of the Hessian rose from a mean of {then:.4} to {now:.4}, {:.2} \
         times as much where {} are allowed",
        now / then,
        config.ratio
    );
    let evidence = vec![
        ("mean", now),
        ("mean_before", then),
        ("ratio", now / then),
        ("allowed", config.ratio),
    ];
    Some(Finding { epoch: Some(epoch), reason, evidence })
}

/// The mean of the `window` values that end with this one, or of as many as there are.
fn mean(values: &[(u32, f64)], last: usize, window: usize) -> f64 {
    let taken = &values[(last + 1).saturating_sub(window)..=last];
    taken.iter().map(|(_, value)| value).sum::<f64>() / taken.len() as f64
}
