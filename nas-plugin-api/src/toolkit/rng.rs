//! The seeded generator that everything random here takes.

pub use rand::seq::{IndexedRandom, SliceRandom};
pub use rand::{Rng, RngExt, SeedableRng};

/// Xoshiro256++: fast, and the same numbers on every machine and in every later version, which
/// replaying a journalled search rests on.
///
/// It can be stored with serde, as part of a strategy's saved state.
/// [`RngExt`] has what one draws with: `random_range(0..n)`, `random_bool(p)`, `random::<f64>()`.
///
/// # Source
/// Blackman, Vigna. Scrambled linear pseudorandom number generators. ACM TOMS 47, 2021.
pub type Generator = rand_xoshiro::Xoshiro256PlusPlus;

/// The generator of this seed.
///
/// ```
/// use nas_plugin_api::toolkit::rng::{RngExt, generator};
/// assert_eq!(generator(7).random_range(0..100), generator(7).random_range(0..100));
/// ```
#[must_use]
pub fn generator(seed: u64) -> Generator {
    Generator::seed_from_u64(seed)
}

/// A number from the standard normal distribution (Box and Muller's method).
pub fn normal(rng: &mut Generator) -> f64 {
    // 1 − u lies in (0, 1], where the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_seed_never_change() {
        let mut rng = generator(42);
        let drawn: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        let places: Vec<u32> = (0..8).map(|_| rng.random_range(0..10)).collect();
        assert_eq!(
            (drawn, places),
            (
                vec![
                    15_021_278_609_987_233_951,
                    5_881_210_131_331_364_753,
                    18_149_643_915_985_481_100
                ],
                vec![7, 7, 5, 1, 6, 2, 9, 5],
            )
        );
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut rng = generator(1);
        let drawn: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }
}
