//! Learning rates of the network weights, epoch by epoch.
//!
//! Differs: the released ProxylessNAS and single-path one-shot change theirs with every batch; here
//! it is set once an epoch.

use std::f64::consts::PI;

/// From `first` down to `last` along half a cosine: `first` in epoch 0, close to `last` in the last
/// of `epochs`.
///
/// # Source
/// Loshchilov, Hutter. SGDR, ICLR 2017, equation 5.
pub(crate) fn cosine(first: f64, last: f64, epoch: u32, epochs: u32) -> f64 {
    let done = f64::from(epoch) / f64::from(epochs.max(1));
    last + (first - last) * (1.0 + (PI * done).cos()) / 2.0
}

/// The same, begun anew after `period` epochs, and then after `factor` times as many as the time
/// before.
///
/// # Source
/// SGDR, section 3; ENAS: `melodyguan/enas@4bcfd73`: src/utils.py `get_train_ops` (`lr_T_0`,
/// `lr_T_mul`).
pub(crate) fn cosine_with_restarts(
    first: f64,
    last: f64,
    epoch: u32,
    period: u32,
    factor: u32,
) -> f64 {
    let (mut start, mut period) = (0_u32, period.max(1));
    while epoch - start >= period {
        start += period;
        period = period.saturating_mul(factor.max(1));
    }
    cosine(first, last, epoch - start, period)
}

/// From `first` towards 0 in equal steps.
pub(crate) fn linear(first: f64, epoch: u32, epochs: u32) -> f64 {
    first * (1.0 - f64::from(epoch) / f64::from(epochs.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn a_cosine_begins_high_and_is_halfway_in_the_middle() {
        check(cosine(0.05, 0.01, 0, 10), 0.05);
        check(cosine(0.05, 0.01, 5, 10), 0.03);
    }

    #[test]
    fn restarts_come_ever_later() {
        let rate = |epoch| cosine_with_restarts(0.05, 0.0005, epoch, 10, 2);
        [0, 10, 30, 70].iter().for_each(|&epoch| check(rate(epoch), 0.05));
        check(rate(20), 0.025_25);
        check(cosine_with_restarts(1.0, 0.0, 25, 10, 1), 0.5);
    }

    #[test]
    fn a_line_ends_at_0() {
        check(linear(0.5, 0, 120), 0.5);
        check(linear(0.5, 90, 120), 0.125);
    }
}
