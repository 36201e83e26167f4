//! What changes from epoch to epoch.

use std::f64::consts::PI;

use nas_core::protocol::recipe::{Recipe, Schedule};

/// The learning rate of an epoch, from 0; it is constant inside the epoch.
///
/// # Source
/// DARTS, `train.py`: `CosineAnnealingLR` with `T_max` = epochs, stepped once per epoch; so the
/// last epoch's rate is just above `final_learning_rate`.
#[must_use]
pub fn learning_rate(recipe: &Recipe, epoch: u32, epochs: u32) -> f64 {
    let Recipe { learning_rate, final_learning_rate, .. } = *recipe;
    match recipe.schedule {
        Schedule::Constant => learning_rate,
        Schedule::Cosine => {
            let progress = f64::from(epoch) / f64::from(epochs.max(1));
            let fall = (1.0 + (PI * progress).cos()) / 2.0;
            final_learning_rate + (learning_rate - final_learning_rate) * fall
        }
    }
}

/// The drop-path rate of an epoch, from 0.
///
/// # Source
/// DARTS, `train.py`: `drop_path_prob * epoch / epochs`.
#[must_use]
pub fn drop_path(recipe: &Recipe, epoch: u32, epochs: u32) -> f64 {
    recipe.drop_path * f64::from(epoch) / f64::from(epochs.max(1))
}
