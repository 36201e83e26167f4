//! The first two derivatives of the logarithm of the gamma function.
//!
//! # Source
//! Abramowitz, Stegun. Handbook of Mathematical Functions, 6.3.5, 6.3.18, 6.4.6 and 6.4.11:
//! recurrence up to where the asymptotic series is exact to double precision.

/// Arguments from here on are left to the asymptotic series.
const LARGE: f64 = 10.0;

/// ψ(x), for `x > 0`.
#[must_use]
pub fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < LARGE {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    // Bernoulli numbers B₂ₙ / 2n.
    let terms = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
        1.0 / 12.0,
    ];
    sum + x.ln() - 0.5 / x - square * horner(&terms, square)
}

/// ψ′(x), for `x > 0`.
#[must_use]
pub fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < LARGE {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    // Bernoulli numbers B₂ₙ.
    let terms =
        [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    sum + 1.0 / x + 0.5 * square + square / x * horner(&terms, square)
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// ψ(1): minus Euler's constant.
    const AT_ONE: f64 = -0.577_215_664_901_532_9;

    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 4e-15 * expected.abs().max(1.0), "{found} {expected}");
    }

    #[test]
    fn known_values() {
        check(digamma(1.0), AT_ONE);
        check(digamma(0.5), AT_ONE - 2.0 * 2.0_f64.ln());
        check(digamma(25.0), (1..25).map(|n| 1.0 / f64::from(n)).sum::<f64>() + AT_ONE);
        check(trigamma(1.0), PI * PI / 6.0);
        check(trigamma(0.5), PI * PI / 2.0);
        check(trigamma(12.0), PI * PI / 6.0 - (1..12).map(|n| f64::from(n).powi(-2)).sum::<f64>());
    }
}
