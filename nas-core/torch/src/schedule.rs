//! What changes from epoch to epoch.

use std::f64::consts::PI;

use nas_core::protocol::recipe::{Recipe, Schedule};

/// The learning rate in an epoch, from 0, of which a share is over, from 0 to below 1.
///
/// # Source
/// A cosine: DARTS, `train.py`, `CosineAnnealingLR` with `T_max` = epochs, stepped once per epoch; so
/// the last epoch's rate is just above `final_learning_rate`, and the share counts for nothing.
/// Restarts: Loshchilov, Hutter. SGDR, ICLR 2017, section 3. There the cycles grow by a factor (1, 3,
/// 9 epochs); here what is over at their ends does (1, 3, 9 epochs in all), as the rungs of successive
/// halving do.
#[must_use]
pub fn learning_rate(recipe: &Recipe, epoch: u32, share: f64, epochs: u32) -> f64 {
    let Recipe { learning_rate, final_learning_rate, .. } = *recipe;
    let progress = match recipe.schedule {
        Schedule::Constant => return learning_rate,
        Schedule::Cosine => f64::from(epoch) / f64::from(epochs.max(1)),
        Schedule::Restarts => {
            let (begin, end) = cycle(recipe, epoch, epochs);
            (f64::from(epoch - begin) + share) / f64::from(end - begin)
        }
    };
    let fall = (1.0 + (PI * progress).cos()) / 2.0;
    final_learning_rate + (learning_rate - final_learning_rate) * fall
}

/// The epochs between restarts among which this one is; the end is exclusive.
fn cycle(recipe: &Recipe, epoch: u32, epochs: u32) -> (u32, u32) {
    let (mut begin, mut end) = (0, recipe.restart_epochs.max(1));
    while epoch >= end {
        (begin, end) = (end, end.saturating_mul(recipe.restart_factor.max(2)));
    }
    (begin, end.min(epochs.max(epoch + 1)))
}

/// The drop-path rate of an epoch, from 0.
///
/// # Source
/// DARTS, `train.py`: `drop_path_prob * epoch / epochs`.
#[must_use]
pub fn drop_path(recipe: &Recipe, epoch: u32, epochs: u32) -> f64 {
    recipe.drop_path * f64::from(epoch) / f64::from(epochs.max(1))
}
