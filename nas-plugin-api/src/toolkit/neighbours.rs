//! The genotypes next to a genotype.

use crate::genotype::Genotype;
use crate::template::{Active, ChoiceIndex, Space};

/// All valid genotypes that differ in one choice that matters, in the order of choices and
/// options, normalised ([`Space::normalize`]); all different, and none is the genotype itself.
///
/// A choice that comes to matter by the change keeps the value that the genotype has there, which
/// is 0 in a normalised one.
///
/// # Panics
/// If the genotype is none of the space ([`Space::check`]).
#[must_use]
pub fn neighbours(space: &Space, genotype: &Genotype) -> Vec<Genotype> {
    let mut active = Active::default();
    space.read_active(genotype, &mut active);
    let places: Vec<ChoiceIndex> = active.choices().collect();
    let found = changes(space, genotype, &places);
    found.iter().map(|neighbour| space.normalize(neighbour)).collect()
}

/// All valid genotypes that differ in one of `places`.
pub(super) fn changes(space: &Space, genotype: &Genotype, places: &[ChoiceIndex]) -> Vec<Genotype> {
    let mut found = Vec::new();
    let mut changed = genotype.clone();
    for &place in places {
        for option in 0..space.n_options(place) as u32 {
            changed.0[place] = option as u16;
            if changed.0[place] != genotype.0[place] && space.check(&changed).is_ok() {
                found.push(changed.clone());
            }
        }
        changed.0[place] = genotype.0[place];
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::random_genotype::random_genotype;
    use super::super::rng::generator;
    use super::super::sample_space::{cell, chain, count};
    use super::*;

    #[test]
    fn neighbours_come_in_the_order_of_choices_and_options() {
        let found = neighbours(&chain(&[2, 3]), &Genotype(vec![0, 1]));
        let expected = [[1, 1], [0, 0], [0, 2]].map(|values| Genotype(values.to_vec()));
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn neighbours_are_valid_normal_and_different(seed: u64, max in 1_usize..5) {
            let space = cell(4, &[count("conv", 0, Some(max))]);
            let genotype = random_genotype(&space, &mut generator(seed)).unwrap();
            let mut found = neighbours(&space, &genotype);
            let n_found = found.len();
            for neighbour in &found {
                prop_assert_eq!(space.check(neighbour), Ok(()));
                prop_assert_eq!(neighbour, &space.normalize(neighbour));
                prop_assert_ne!(neighbour, &space.normalize(&genotype));
            }
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found.len(), n_found);
        }
    }
}
