//! Numbers of many searches in a few.

/// Mean and spread of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// How many there are.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, that of a sample (n − 1).
    pub deviation: f64,
}

impl Spread {
    /// Of numbers; a mean of none is NaN, a deviation of one is 0.
    #[must_use]
    pub fn of(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let n = numbers.clone().count();
        let mean = numbers.clone().sum::<f64>() / n as f64;
        let squares: f64 = numbers.map(|number| (number - mean).powi(2)).sum();
        let deviation = if n < 2 { 0.0 } else { (squares / (n - 1) as f64).sqrt() };
        Self { n, mean, deviation }
    }

    /// Half the width of the interval that holds the true mean in 95 of 100 cases (1.96 standard
    /// errors, good for 30 numbers and more).
    #[must_use]
    pub fn half_interval(&self) -> f64 {
        1.96 * self.deviation / (self.n as f64).sqrt()
    }
}

/// Where the numbers lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// The mean.
    pub mean: f64,
    /// 10 % are at most this.
    pub tenth: f64,
    /// A quarter is at most this.
    pub quarter: f64,
    /// Half are at most this.
    pub median: f64,
    /// Three quarters are at most this.
    pub three_quarters: f64,
    /// 90 % are at most this.
    pub nine_tenths: f64,
}

impl Quantiles {
    /// Of numbers, those that are NaN left out; absent if none is left. Between two numbers the
    /// quantile is interpolated (Hyndman and Fan's type 7, as numpy does).
    #[must_use]
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.retain(|number| !number.is_nan());
        numbers.sort_unstable_by(f64::total_cmp);
        let last = numbers.len().checked_sub(1)?;
        let at = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (numbers[place as usize], numbers[last.min(place as usize + 1)]);
            below + (above - below) * place.fract()
        };
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        Some(Self {
            mean,
            tenth: at(0.1),
            quarter: at(0.25),
            median: at(0.5),
            three_quarters: at(0.75),
            nine_tenths: at(0.9),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_a_sample() {
        let spread = Spread::of([1.0, 2.0, 3.0, 4.0].into_iter());
        assert_eq!((spread.n, spread.mean), (4, 2.5));
        assert!((spread.deviation - 1.290_994_448_735_805_6).abs() < 1e-15);
        assert!((spread.half_interval() - 1.96 * spread.deviation / 2.0).abs() < 1e-15);
        assert_eq!(Spread::of([7.0].into_iter()).deviation, 0.0);
    }

    #[test]
    fn quantiles_are_interpolated_and_leave_out_what_is_no_number() {
        let found = Quantiles::of(vec![f64::NAN, 4.0, 1.0, 3.0, 2.0]);
        let expected = Quantiles {
            mean: 2.5,
            tenth: 1.3,
            quarter: 1.75,
            median: 2.5,
            three_quarters: 3.25,
            nine_tenths: 3.7,
        };
        assert_eq!(found, Some(expected));
        assert_eq!(Quantiles::of(vec![f64::NAN]), None);
    }
}
