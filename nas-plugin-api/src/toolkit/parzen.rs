//! Densities over genotypes, and which genotypes are likelier among good ones than among bad.
//!
//! # Source
//! Bergstra, Bardenet, Bengio, Kégl. Algorithms for hyper-parameter optimization. NeurIPS 2011,
//! section 4; the kernel for options that have no order is Aitchison and Aitken's, as in Falkner,
//! Klein, Hutter. BOHB. ICML 2018.
//! Differs: choices are taken together, one kernel around each genotype, and not each by itself.

use super::random_genotype::{random_genotype, random_option};
use super::repair::repair;
use super::rng::{Generator, RngExt};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::template::{ChoiceIndex, Space};

/// A density: the mean of kernels around some genotypes. A kernel gives each choice the genotype's own
/// option, or with some probability any option.
#[derive(Clone, Debug)]
pub struct Parzen {
    options: Vec<usize>,
    centres: Vec<Genotype>,
    /// By choice, the probability that a kernel draws any option instead of its own.
    spreads: Vec<f64>,
    /// Weight of the uniform density, in kernels.
    prior: f64,
}

impl Parzen {
    /// The density around genotypes of a space. `spread` gives, for a choice, the probability that a
    /// kernel draws any of its options; `prior` is how many kernels the uniform density counts.
    #[must_use]
    pub fn new(
        space: &Space,
        centres: Vec<Genotype>,
        spread: impl Fn(ChoiceIndex) -> f64,
        prior: f64,
    ) -> Self {
        let options: Vec<usize> = (0..space.n_choices()).map(|c| space.n_options(c)).collect();
        let spreads = (0..options.len()).map(|choice| spread(choice).clamp(0.0, 1.0)).collect();
        Self { options, centres, spreads, prior }
    }

    /// A genotype drawn from the density; one that violates a constraint is repaired.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::Exhausted`] where a repair fails.
    pub fn draw(&self, space: &Space, rng: &mut Generator) -> Result<Genotype, PluginError> {
        let place = rng.random::<f64>() * (self.centres.len() as f64 + self.prior);
        let Some(centre) = self.centres.get(place as usize) else {
            return random_genotype(space, rng);
        };
        let mut drawn = centre.clone();
        for (choice, value) in drawn.0.iter_mut().enumerate() {
            if rng.random::<f64>() < self.spreads[choice] {
                *value = random_option(space, choice, rng);
            }
        }
        match space.check(&drawn) {
            Ok(()) => Ok(drawn),
            Err(_) => repair(space, drawn, rng),
        }
    }

    /// The logarithm of the density at a genotype; minus infinity where there are neither kernels nor
    /// a prior.
    #[must_use]
    pub fn log_density(&self, genotype: &Genotype) -> f64 {
        let kernel = |centre: &Genotype| -> f64 {
            let choices =
                self.options.iter().zip(&self.spreads).zip(genotype.0.iter().zip(&centre.0));
            choices
                .map(|((&n, spread), (value, own))| {
                    spread / n as f64 + if value == own { 1.0 - spread } else { 0.0 }
                })
                .product()
        };
        let uniform: f64 = self.options.iter().map(|&n| 1.0 / n as f64).product();
        let sum: f64 = self.centres.iter().map(kernel).sum::<f64>() + self.prior * uniform;
        (sum / (self.centres.len() as f64 + self.prior)).ln()
    }
}

/// Draws candidates from the density of good genotypes, and sorts them by how much likelier they are
/// there than among bad ones, the likeliest first.
///
/// # Errors
/// [`crate::error::ErrorCode::Exhausted`] where a repair fails.
pub fn likely_good(
    space: &Space,
    [good, bad]: [&Parzen; 2],
    n: usize,
    rng: &mut Generator,
) -> Result<Vec<Genotype>, PluginError> {
    let mut candidates = Vec::with_capacity(n);
    for _ in 0..n {
        let drawn = good.draw(space, rng)?;
        candidates.push((good.log_density(&drawn) - bad.log_density(&drawn), drawn));
    }
    candidates.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    Ok(candidates.into_iter().map(|(_, drawn)| drawn).collect())
}

#[cfg(test)]
mod tests {
    use super::super::rng::generator;
    use super::super::sample_space::chain;
    use super::*;

    #[test]
    fn the_density_adds_up_to_one() {
        let space = chain(&[2, 3]);
        let centres = vec![Genotype(vec![0, 1]), Genotype(vec![1, 1])];
        let density = Parzen::new(&space, centres, |choice| [0.2, 0.3][choice], 1.0);
        let all = (0..2).flat_map(|a| (0..3).map(move |b| Genotype(vec![a, b])));
        let sum: f64 = all.map(|genotype| density.log_density(&genotype).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        // The own option has 0.9 and 0.8, another one of two 0.1; there are six genotypes.
        let expected = (0.9 * 0.8 + 0.1 * 0.8 + 1.0 / 6.0) / 3.0;
        let found = density.log_density(&Genotype(vec![0, 1])).exp();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn draws_follow_the_density() {
        let space = chain(&[2, 3]);
        let density = Parzen::new(&space, vec![Genotype(vec![0, 1])], |_| 0.3, 0.5);
        let mut rng = generator(0);
        let wanted = Genotype(vec![0, 1]);
        let n = 20_000;
        let met = (0..n).filter(|_| density.draw(&space, &mut rng).unwrap() == wanted).count();
        let share = met as f64 / f64::from(n);
        assert!((share - density.log_density(&wanted).exp()).abs() < 0.01, "{share}");
    }

    #[test]
    fn what_only_good_ones_have_comes_first() {
        let space = chain(&[4, 4, 4]);
        let of = |values: [[u16; 3]; 2]| values.map(|v| Genotype(v.to_vec())).to_vec();
        let good = Parzen::new(&space, of([[2, 0, 3], [2, 1, 3]]), |_| 0.3, 1.0);
        let bad = Parzen::new(&space, of([[0, 0, 3], [1, 1, 0]]), |_| 0.3, 1.0);
        let candidates = likely_good(&space, [&good, &bad], 50, &mut generator(1)).unwrap();
        assert_eq!(candidates[0].0[0], 2);
        assert!(candidates[49].0[0] != 2);
    }
}
