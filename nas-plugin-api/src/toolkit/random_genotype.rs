//! Random genotypes.

use super::repair::repair;
use super::rng::{Generator, RngExt};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::template::Space;

/// Draws made before a genotype is repaired instead.
const TRIES: usize = 100;

/// A valid genotype, every choice drawn uniformly from its options.
///
/// Where the space has constraints, genotypes are drawn until one meets them, so that the draw
/// stays uniform; after 100 in vain one is repaired ([`repair`]), which is not uniform.
///
/// # Errors
/// [`crate::error::ErrorCode::Exhausted`] if no genotype that meets the constraints is found.
pub fn random_genotype(space: &Space, rng: &mut Generator) -> Result<Genotype, PluginError> {
    let mut genotype = unchecked(space, rng);
    if space.template().constraints.is_empty() {
        return Ok(genotype);
    }
    for _ in 0..TRIES {
        if space.check(&genotype).is_ok() {
            return Ok(genotype);
        }
        genotype = unchecked(space, rng);
    }
    repair(space, genotype, rng)
}

/// A genotype whose values are in range; constraints aside.
pub(super) fn unchecked(space: &Space, rng: &mut Generator) -> Genotype {
    Genotype((0..space.n_choices()).map(|choice| random_option(space, choice, rng)).collect())
}

/// One of a choice's options.
pub(super) fn random_option(space: &Space, choice: usize, rng: &mut Generator) -> u16 {
    rng.random_range(0..space.n_options(choice) as u32) as u16
}

/// One of a choice's other options, if it has any.
pub(super) fn other_option(
    space: &Space,
    choice: usize,
    current: u16,
    rng: &mut Generator,
) -> Option<u16> {
    let n_others = space.n_options(choice) as u32 - 1;
    (n_others > 0).then(|| {
        let drawn = rng.random_range(0..n_others) as u16;
        drawn + u16::from(drawn >= current)
    })
}

#[cfg(test)]
mod tests {
    use super::super::rng::generator;
    use super::super::sample_space::{cell, chain, count};
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn every_option_is_drawn_equally_often() {
        let space = chain(&[1, 2, 3, 5]);
        let mut rng = generator(0);
        let mut drawn = [[0_u32; 5]; 4];
        for _ in 0..6000 {
            let genotype = random_genotype(&space, &mut rng).unwrap();
            genotype.0.iter().enumerate().for_each(|(i, &v)| drawn[i][usize::from(v)] += 1);
        }
        for (choice, drawn) in drawn.iter().enumerate() {
            let expected = 6000.0 / space.n_options(choice) as f64;
            for &n in &drawn[..space.n_options(choice)] {
                assert!((f64::from(n) - expected).abs() < 0.1 * expected, "{drawn:?}");
            }
        }
    }

    #[test]
    fn constraints_are_met_even_where_no_draw_meets_them() {
        // 15 edges, of which exactly 13 must be convolutions: 1 draw in 500,000.
        let space = cell(6, &[count("conv", 13, Some(13))]);
        let mut rng = generator(0);
        for _ in 0..20 {
            let genotype = random_genotype(&space, &mut rng).unwrap();
            assert_eq!(space.check(&genotype), Ok(()));
        }
    }

    #[test]
    fn constraints_that_exclude_everything_exhaust_the_space() {
        let space = cell(3, &[count("conv", 4, None)]);
        let error = random_genotype(&space, &mut generator(0)).unwrap_err();
        assert_eq!(error.code, ErrorCode::Exhausted);
    }
}
