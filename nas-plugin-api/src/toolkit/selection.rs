//! What picking the best of many does to an accuracy, and what it can't do.
//!
//! Each accuracy is an estimate from so many images. The best of many estimates is better than what
//! it estimates: it was picked for its luck too. How much of a gap between validation and holdout
//! luck explains is computed here, for policies and for reports alike.

/// An accuracy, and from how many images it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// 0 to 1.
    pub accuracy: f64,
    /// At least 1.
    pub images: u64,
}

/// A network that was picked for its validation accuracy, on the holdout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PickedGap {
    /// What it was picked for.
    pub validation: Share,
    /// What it was not picked for.
    pub holdout: Share,
    /// It is the best of so many, at least 1.
    pub trials: u64,
}

impl PickedGap {
    /// How much better it is on the validation images.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.validation.accuracy - self.holdout.accuracy
    }

    /// How large the gap is on average where all networks are equally good and only luck picked
    /// this one: the expected maximum of so many normal deviates times the binomial standard error
    /// of a validation accuracy. Where networks differ, luck does less.
    ///
    /// # Source
    /// Cawley, Talbot. On over-fitting in model selection and subsequent selection bias in
    /// performance evaluation, JMLR 11, 2010; [`expected_maximum`].
    #[must_use]
    pub fn explained(&self) -> f64 {
        expected_maximum(self.trials) * self.deviation(self.validation.images)
    }

    /// Binomial standard error of the gap of a network that nobody picked.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.deviation(self.validation.images).hypot(self.deviation(self.holdout.images))
    }

    /// At most how probable it is that any of so many networks has such a gap or a larger one,
    /// where each is as good on the images of the one split as on those of the other: the
    /// probability for one network, times their number (Bonferroni: true however the networks
    /// depend on each other).
    ///
    /// For one network it is Fisher's exact test, one-sided: given how many images it gets wrong in
    /// all, how they fall into the two splits is hypergeometric. No normal approximation, so it holds
    /// for small splits and accuracies near 1.
    ///
    /// # Source
    /// Fisher. The logic of inductive inference, Journal of the Royal Statistical Society 98, 1935.
    #[must_use]
    pub fn probability(&self) -> f64 {
        let [validation, holdout] = [self.validation, self.holdout].map(Share::wrong);
        let one = hypergeometric_tail(
            validation + holdout,
            self.validation.images,
            self.holdout.images,
            holdout,
        );
        (one * self.trials.max(1) as f64).min(1.0)
    }

    /// Standard error of an accuracy on so many images.
    fn deviation(&self, images: u64) -> f64 {
        let [validation, holdout] = [self.validation, self.holdout];
        let all = (validation.images + holdout.images) as f64;
        let right = validation.accuracy * validation.images as f64
            + holdout.accuracy * holdout.images as f64;
        let accuracy = (right / all).clamp(0.0, 1.0);
        (accuracy * (1.0 - accuracy) / images as f64).sqrt()
    }
}

impl Share {
    /// How many images are wrong.
    fn wrong(self) -> u64 {
        let wrong = (1.0 - self.accuracy) * self.images as f64;
        (wrong.round().max(0.0) as u64).min(self.images)
    }
}

/// Expected maximum of so many independent standard normal deviates, to 0.01.
///
/// # Source
/// Blom. Statistical Estimates and Transformed Beta-Variables, 1958: the i-th of n is expected at
/// the quantile (i − 3/8) / (n + 1/4).
#[must_use]
pub fn expected_maximum(n: u64) -> f64 {
    let n = n.max(1) as f64;
    normal_quantile((n - 0.375) / (n + 0.25))
}

/// The value below which a standard normal deviate is with this probability, above 0 and below 1,
/// to seven digits.
///
/// # Source
/// Wichura. Algorithm AS 241: the percentage points of the normal distribution, Applied Statistics
/// 37, 1988: PPND7.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    let central = probability - 0.5;
    if central.abs() <= 0.425 {
        let r = 0.180_625 - central * central;
        return central
            * horner(&[3.387_132_717_9, 50.434_271_938, 159.291_132_02, 59.109_374_72], r)
            / horner(&[1.0, 17.895_169_469, 78.757_757_664, 67.187_563_6], r);
    }
    let r = (-probability.min(1.0 - probability).ln()).sqrt();
    let tail = if r <= 5.0 {
        let r = r - 1.6;
        horner(&[1.423_437_277_7, 2.756_815_39, 1.306_728_481_6, 0.170_238_211_03], r)
            / horner(&[1.0, 0.737_001_642_5, 0.120_211_329_75], r)
    } else {
        let r = r - 5.0;
        horner(&[6.657_905_115, 3.081_226_386, 0.428_682_943_37, 0.017_337_203_997], r)
            / horner(&[1.0, 0.241_978_942_25, 0.012_258_202_635], r)
    };
    tail.copysign(central)
}

/// How probable it is that at least `least` of `wrong` wrong images lie in the second of two splits.
fn hypergeometric_tail(wrong: u64, first: u64, second: u64, least: u64) -> f64 {
    let most = wrong.min(second);
    let lowest = wrong.saturating_sub(first);
    if least <= lowest {
        return 1.0;
    }
    let mut term = (ln_choose(second, least) + ln_choose(first, wrong - least)
        - ln_choose(first + second, wrong))
    .exp();
    let mut sum = term;
    for k in least..most {
        let (second_left, first_has) = ((second - k) as f64, (wrong - k) as f64);
        term *= second_left * first_has / ((k + 1) as f64 * (first + k + 1 - wrong) as f64);
        sum += term;
    }
    sum.min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    let k = k.min(n - k);
    (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum()
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::super::rng::{RngExt, generator};
    use super::*;

    #[track_caller]
    fn check(found: f64, expected: f64, allowed: f64) {
        assert!((found - expected).abs() <= allowed, "{found}, not {expected}");
    }

    /// Known values: tables of the normal distribution.
    #[test]
    fn quantiles() {
        check(normal_quantile(0.5), 0.0, 1e-12);
        check(normal_quantile(0.975), 1.959_964, 1e-6);
        check(normal_quantile(0.025), -1.959_964, 1e-6);
        check(normal_quantile(1e-12), -7.034_484, 1e-6);
    }

    /// Harter. Expected values of normal order statistics, Biometrika 48, 1961.
    #[test]
    fn expected_maxima() {
        check(expected_maximum(1), 0.0, 1e-6);
        for (n, expected) in [(2, 0.5642), (10, 1.5388), (40, 2.1608), (100, 2.5076)] {
            check(expected_maximum(n), expected, 0.03);
        }
    }

    /// Fisher's tea-tasting lady: 3 of 4 by chance in 17 of 70 cases, 4 of 4 in one.
    #[test]
    fn exact_tails() {
        check(hypergeometric_tail(4, 4, 4, 3), 17.0 / 70.0, 1e-12);
        check(hypergeometric_tail(4, 4, 4, 4), 1.0 / 70.0, 1e-12);
        check(hypergeometric_tail(4, 4, 4, 0), 1.0, 1e-12);
        check(hypergeometric_tail(0, 10, 10, 0), 1.0, 1e-12);
        check(hypergeometric_tail(12, 10, 10, 2), 1.0, 1e-12);
    }

    fn picked(validation: f64, holdout: f64, trials: u64) -> PickedGap {
        PickedGap {
            validation: Share { accuracy: validation, images: 288 },
            holdout: Share { accuracy: holdout, images: 359 },
            trials,
        }
    }

    #[test]
    fn a_leak_is_no_luck_and_a_small_gap_is() {
        assert!(picked(1.0, 0.9, 40).probability() < 1e-6);
        assert!(picked(0.9965, 0.9889, 40).probability() > 0.5);
        assert!(picked(0.9, 1.0, 40).probability() >= 1.0);
        check(picked(0.9965, 0.9889, 40).explained(), 0.0105, 0.002);
    }

    /// Searches of networks that are all equally good: the rate of false alarms over all of them.
    #[test]
    fn alarms_are_as_rare_as_promised_where_only_luck_picks() {
        const SEARCHES: u32 = 2000;
        let mut random = generator(3);
        let mut draw = |accuracy: f64, images: u64| {
            let right = (0..images).filter(|_| random.random::<f64>() < accuracy).count();
            Share { accuracy: right as f64 / images as f64, images }
        };
        for (accuracy, level) in [(0.97, 0.05), (0.6, 0.05)] {
            let alarms = (0..SEARCHES).filter(|_| {
                let tried = (0..20).map(|_| draw(accuracy, 60));
                let validation =
                    tried.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy)).expect("20");
                let gap = PickedGap { validation, holdout: draw(accuracy, 80), trials: 20 };
                gap.probability() <= level
            });
            let rate = alarms.count() as f64 / f64::from(SEARCHES);
            assert!(rate <= level, "{rate} at accuracy {accuracy}");
        }
    }
}
