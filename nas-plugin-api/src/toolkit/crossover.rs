//! Children of two genotypes.

use super::repair::repair;
use super::rng::{Generator, RngExt};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::template::Space;

/// Draws made before a child that violates a constraint is repaired.
const TRIES: usize = 16;

/// A child with the first parent's values before a cut and the second's behind it; the cut lies
/// anywhere between two choices, uniformly.
///
/// A child that violates a constraint is drawn again, and repaired in the end ([`repair`]).
///
/// # Errors
/// [`crate::error::ErrorCode::Exhausted`] where a repair fails.
/// # Panics
/// If a parent has another number of values than the space has choices.
pub fn single_point(
    space: &Space,
    first: &Genotype,
    second: &Genotype,
    rng: &mut Generator,
) -> Result<Genotype, PluginError> {
    valid(space, rng, |rng| {
        let mut child = first.clone();
        if space.n_choices() > 1 {
            let cut = rng.random_range(1..space.n_choices() as u32) as usize;
            child.0[cut..].copy_from_slice(&second.0[cut..]);
        }
        child
    })
}

/// A child that has each value from either parent with equal probability.
///
/// A child that violates a constraint is drawn again, and repaired in the end ([`repair`]).
///
/// # Errors
/// [`crate::error::ErrorCode::Exhausted`] where a repair fails.
/// # Panics
/// If a parent has another number of values than the space has choices.
pub fn uniform(
    space: &Space,
    first: &Genotype,
    second: &Genotype,
    rng: &mut Generator,
) -> Result<Genotype, PluginError> {
    valid(space, rng, |rng| {
        let mut child = first.clone();
        for (value, &other) in child.0.iter_mut().zip(&second.0) {
            if rng.random_bool(0.5) {
                *value = other;
            }
        }
        child
    })
}

/// The first valid child, or the last one repaired.
fn valid(
    space: &Space,
    rng: &mut Generator,
    mut child: impl FnMut(&mut Generator) -> Genotype,
) -> Result<Genotype, PluginError> {
    let mut drawn = child(rng);
    if space.template().constraints.is_empty() {
        return Ok(drawn);
    }
    for _ in 1..TRIES {
        if space.check(&drawn).is_ok() {
            return Ok(drawn);
        }
        drawn = child(rng);
    }
    repair(space, drawn, rng)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::random_genotype::random_genotype;
    use super::super::rng::generator;
    use super::super::sample_space::{cell, chain, count};
    use super::*;

    #[test]
    fn both_parents_contribute_to_a_single_point_child() {
        let space = chain(&[2; 4]);
        let [zeros, ones] = [0, 1].map(|value| Genotype(vec![value; 4]));
        let mut rng = generator(0);
        let mut cuts = [0; 5];
        for _ in 0..3000 {
            let child = single_point(&space, &zeros, &ones, &mut rng).unwrap();
            assert!(child.0.is_sorted());
            cuts[child.0.iter().filter(|&&value| value == 0).count()] += 1;
        }
        assert_eq!((cuts[0], cuts[4]), (0, 0));
        assert!(cuts[1..4].iter().all(|&n| (850..1150).contains(&n)), "{cuts:?}");
    }

    #[test]
    fn one_choice_can_not_be_cut() {
        let space = chain(&[2]);
        let [zero, one] = [0, 1].map(|value| Genotype(vec![value]));
        assert_eq!(single_point(&space, &zero, &one, &mut generator(0)), Ok(zero));
    }

    proptest! {
        #[test]
        fn children_are_valid(seed: u64, n in 0_usize..5) {
            let space = cell(4, &[count("conv", n, Some(n)), count("none", 0, Some(2))]);
            let mut rng = generator(seed);
            let first = random_genotype(&space, &mut rng).unwrap();
            let second = random_genotype(&space, &mut rng).unwrap();
            for child in [
                single_point(&space, &first, &second, &mut rng),
                uniform(&space, &first, &second, &mut rng),
            ] {
                prop_assert_eq!(space.check(&child.unwrap()), Ok(()));
            }
        }

        #[test]
        fn values_come_from_a_parent(seed: u64) {
            let space = chain(&[7; 9]);
            let mut rng = generator(seed);
            let first = random_genotype(&space, &mut rng).unwrap();
            let second = random_genotype(&space, &mut rng).unwrap();
            let child = uniform(&space, &first, &second, &mut rng).unwrap();
            let parents = first.0.iter().zip(&second.0);
            prop_assert!(child.0.iter().zip(parents).all(|(c, (a, b))| c == a || c == b));
        }
    }
}
