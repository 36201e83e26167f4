//! Small random changes of a genotype.

use super::neighbours::changes;
use super::random_genotype::{other_option, random_genotype};
use super::repair::repair;
use super::rng::{Generator, IndexedRandom, RngExt};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::template::{Active, ChoiceIndex, Space};

/// Draws made before all possible changes are looked at one by one.
const TRIES: usize = 32;

/// Changes genotypes of one space; keeps its memory from call to call, so that nothing but the
/// child is allocated (where the space has no constraints).
#[derive(Clone, Debug)]
pub struct Mutation {
    space: Space,
    active: Active,
    places: Vec<ChoiceIndex>,
}

impl Mutation {
    /// For the genotypes of this space.
    #[must_use]
    pub fn new(space: &Space) -> Self {
        Self { space: space.clone(), active: Active::default(), places: Vec::new() }
    }

    /// A child that differs in exactly one choice that matters, drawn uniformly from those that
    /// have another option; the new option is uniform among the choice's others.
    ///
    /// Where constraints forbid every such child, more than one choice is changed. Only where the
    /// space has no other genotype, or none was found, is the child like its parent.
    ///
    /// # Panics
    /// If the parent is none of the space ([`Space::check`]).
    pub fn one_choice(&mut self, parent: &Genotype, rng: &mut Generator) -> Genotype {
        self.find_places(parent);
        let mut child = parent.clone();
        for _ in 0..TRIES {
            let Some(&place) = self.places.choose(rng) else {
                return child;
            };
            let before = child.0[place];
            child.0[place] = other_option(&self.space, place, before, rng).unwrap_or(before);
            if self.is_valid(&child) {
                return child;
            }
            child.0[place] = before;
        }
        self.rare_child(parent, rng)
    }

    /// A child in which every choice was changed with probability `rate`, to another option.
    ///
    /// Choices that don't matter take part, so that they hold something when they come to matter.
    /// With few choices and a small rate the child is often like its parent: strategies that
    /// must not propose it again look for that themselves, or use [`Mutation::one_choice`].
    /// Where the space has constraints the child is repaired ([`repair`]).
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::Exhausted`] where a repair fails.
    /// # Panics
    /// If the parent is none of the space ([`Space::check`]).
    pub fn each_choice(
        &mut self,
        parent: &Genotype,
        rate: f64,
        rng: &mut Generator,
    ) -> Result<Genotype, PluginError> {
        let mut child = parent.clone();
        for (choice, value) in child.0.iter_mut().enumerate() {
            if rng.random::<f64>() < rate {
                *value = other_option(&self.space, choice, *value, rng).unwrap_or(*value);
            }
        }
        match self.is_valid(&child) {
            true => Ok(child),
            false => repair(&self.space, child, rng),
        }
    }

    /// Writes down the active choices that have another option.
    fn find_places(&mut self, genotype: &Genotype) {
        self.space.read_active(genotype, &mut self.active);
        self.places.clear();
        let space = &self.space;
        self.places.extend(self.active.choices().filter(|&choice| space.n_options(choice) > 1));
    }

    /// A child where constraints leave few or none that differ in one choice.
    fn rare_child(&self, parent: &Genotype, rng: &mut Generator) -> Genotype {
        if let Some(child) = changes(&self.space, parent, &self.places).choose(rng) {
            return child.clone();
        }
        let normal = self.space.normalize(parent);
        (0..TRIES)
            .filter_map(|_| random_genotype(&self.space, rng).ok())
            .find(|child| self.space.normalize(child) != normal)
            .unwrap_or_else(|| parent.clone())
    }

    /// Whether constraints, if there are any, are met.
    fn is_valid(&self, child: &Genotype) -> bool {
        self.space.template().constraints.is_empty() || self.space.check(child).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rng::generator;
    use super::super::sample_space::{cell, chain, count, layers};
    use super::*;

    fn differences(a: &Genotype, b: &Genotype) -> usize {
        a.0.iter().zip(&b.0).filter(|(a, b)| a != b).count()
    }

    proptest! {
        #[test]
        fn one_choice_changes_exactly_one_that_matters(seed: u64, nodes in 2_usize..6) {
            for space in [cell(nodes, &[]), layers(4, 3)] {
                let mut rng = generator(seed);
                let mut mutation = Mutation::new(&space);
                let parent = random_genotype(&space, &mut rng).unwrap();
                let child = mutation.one_choice(&parent, &mut rng);
                prop_assert_eq!(space.check(&child), Ok(()));
                prop_assert_eq!(differences(&parent, &child), 1);
                prop_assert_ne!(space.normalize(&parent), space.normalize(&child));
            }
        }

        #[test]
        fn children_meet_constraints(seed: u64, min in 0_usize..5, spread in 0_usize..3) {
            let space = cell(4, &[count("conv", min, Some(min + spread))]);
            let mut rng = generator(seed);
            let mut mutation = Mutation::new(&space);
            let parent = random_genotype(&space, &mut rng).unwrap();
            let one = mutation.one_choice(&parent, &mut rng);
            let each = mutation.each_choice(&parent, 0.5, &mut rng).unwrap();
            prop_assert_eq!(space.check(&one), Ok(()));
            prop_assert_eq!(space.check(&each), Ok(()));
            prop_assert_ne!(space.normalize(&parent), space.normalize(&one));
        }
    }

    #[test]
    fn all_places_and_options_are_drawn_equally_often() {
        let space = chain(&[2, 4, 1]);
        let mut rng = generator(3);
        let mut mutation = Mutation::new(&space);
        let parent = Genotype(vec![1, 2, 0]);
        let mut drawn = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let child = mutation.one_choice(&parent, &mut rng);
            *drawn.entry(child.0).or_insert(0) += 1;
        }
        let close = |n: i32, expected: i32| (n - expected).abs() < expected / 8;
        assert_eq!(drawn.len(), 4, "{drawn:?}");
        assert!(close(drawn[&vec![0, 2, 0]], 3000), "{drawn:?}");
        assert!([0, 1, 3].iter().all(|&v| close(drawn[&vec![1, v, 0]], 1000)), "{drawn:?}");
    }

    #[test]
    fn the_only_genotype_is_its_own_child() {
        let space = chain(&[1, 1]);
        let parent = Genotype(vec![0, 0]);
        let child = Mutation::new(&space).one_choice(&parent, &mut generator(0));
        assert_eq!(child, parent);
    }

    #[test]
    fn two_choices_change_where_constraints_forbid_one() {
        // Both edges must be convolutions or pools, exactly one of each.
        let space = cell(2, &[count("conv", 1, Some(1))]);
        let only = Genotype(vec![0]);
        assert_eq!(Mutation::new(&space).one_choice(&only, &mut generator(0)), only);
        let space = cell(3, &["conv", "pool", "identity"].map(|name| count(name, 1, Some(1))));
        let parent = Genotype(vec![0, 1, 2]);
        let child = Mutation::new(&space).one_choice(&parent, &mut generator(0));
        assert_eq!(space.check(&child), Ok(()));
        assert!(differences(&parent, &child) >= 2);
    }

    #[test]
    fn each_choice_changes_its_share() {
        let space = chain(&[3; 20]);
        let mut rng = generator(0);
        let mut mutation = Mutation::new(&space);
        let parent = Genotype(vec![1; 20]);
        let mut share = |rate| {
            let children = (0..500).map(|_| mutation.each_choice(&parent, rate, &mut rng).unwrap());
            children.map(|child| differences(&parent, &child)).sum::<usize>() as f64 / 10_000.0
        };
        assert_eq!((share(0.0), share(1.0)), (0.0, 1.0));
        assert!((share(0.1) - 0.1).abs() < 0.02);
    }
}
