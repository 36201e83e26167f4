//! Numbers that change from epoch to epoch.

/// From `first` towards `last` by half a cosine: `last + (first − last)(1 + cos(π e/E))/2`; the
/// last epoch is still a little above `last`.
///
/// # Source
/// `torch.optim.lr_scheduler.CosineAnnealingLR`, stepped once per epoch, in closed form.
#[must_use]
pub fn cosine(first: f64, last: f64, epoch: u32, epochs: u32) -> f64 {
    let share = f64::from(epoch) / f64::from(epochs.max(1));
    last + (first - last) * (1.0 + (std::f64::consts::PI * share).cos()) / 2.0
}

/// From `first` in epoch 0 to `last` in the last epoch, in equal steps.
#[must_use]
pub fn linear(first: f64, last: f64, epoch: u32, epochs: u32) -> f64 {
    let share = f64::from(epoch) / f64::from(epochs.saturating_sub(1).max(1));
    first + (last - first) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn both_begin_at_the_first_number() {
        check(cosine(0.025, 0.001, 0, 50), 0.025);
        check(cosine(0.025, 0.001, 25, 50), 0.013);
        check(linear(10.0, 0.1, 0, 250), 10.0);
        check(linear(10.0, 0.1, 249, 250), 0.1);
        check(linear(10.0, 0.1, 0, 1), 10.0);
    }
}
