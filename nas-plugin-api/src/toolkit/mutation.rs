//! Small random changes of a genotype.

use super::neighbours::changes;
use super::random_genotype::{other_option, random_genotype};
use super::repair::repair;
use super::rng::{Generator, IndexedRandom, RngExt};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::graph::NodeIndex;
use crate::template::{Active, ChoiceIndex, Space, TemplateLayer, TemplateNode};

/// Draws made before all possible changes are looked at one by one.
const TRIES: usize = 32;

/// Changes genotypes of one space; keeps its memory from call to call, so that nothing but the
/// child is allocated (where the space has no constraints).
#[derive(Clone, Debug)]
pub struct Mutation {
    space: Space,
    active: Active,
    places: Vec<ChoiceIndex>,
    /// By choice, the node that its operation feeds; made when it is first asked for.
    fed: Vec<NodeIndex>,
}

impl Mutation {
    /// For the genotypes of this space.
    #[must_use]
    pub fn new(space: &Space) -> Self {
        Self {
            space: space.clone(),
            active: Active::default(),
            places: Vec::new(),
            fed: Vec::new(),
        }
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
        let Self { places, .. } = self;
        let places = std::mem::take(places);
        let child = self.child(parent, rng, |rng| places.choose(rng).copied());
        self.places = places;
        child
    }

    /// Like [`Mutation::one_choice`], but first draws a node of the cell and then one of the
    /// operations that feed it: with many edges into one node, each changes more rarely. A choice
    /// that feeds no sum with others is a node of its own.
    ///
    /// In the space of NAS-Bench-201 the edge into the first node changes with probability 1/3,
    /// those into the second with 1/6 and those into the third with 1/9 each.
    ///
    /// # Panics
    /// If the parent is none of the space ([`Space::check`]).
    /// # Source
    /// Dong, Liu, Musial, Gabrys. NATS-Bench, TPAMI 2021: `mutate_topology_func` of
    /// `D-X-Y/AutoDL-Projects@f46486e`, exps/NATS-algos/regularized_ea.py.
    pub fn one_choice_by_node(&mut self, parent: &Genotype, rng: &mut Generator) -> Genotype {
        if self.fed.is_empty() {
            self.fed = fed_nodes(&self.space);
        }
        self.find_places(parent);
        let Self { places, fed, .. } = self;
        let (mut places, fed) = (std::mem::take(places), std::mem::take(fed));
        places.sort_by_key(|&place| fed[place]);
        let n_nodes = places.chunk_by(|&a, &b| fed[a] == fed[b]).count();
        let child = self.child(parent, rng, |rng| {
            let mut nodes = places.chunk_by(|&a, &b| fed[a] == fed[b]);
            let node = if n_nodes == 0 { 0 } else { rng.random_range(0..n_nodes as u32) };
            nodes.nth(node as usize)?.choose(rng).copied()
        });
        (self.places, self.fed) = (places, fed);
        child
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

    /// A valid child that differs from its parent in a place that `draw` gives, if one is found.
    fn child(
        &mut self,
        parent: &Genotype,
        rng: &mut Generator,
        draw: impl Fn(&mut Generator) -> Option<ChoiceIndex>,
    ) -> Genotype {
        let mut child = parent.clone();
        for _ in 0..TRIES {
            let Some(place) = draw(rng) else {
                return child;
            };
            let before = child.0[place];
            child.0[place] = other_option(&self.space, place, before, rng).unwrap_or(before);
            if self.is_valid(&child) {
                return child;
            }
            child.0[place] = before;
        }
        self.find_places(parent);
        self.rare_child(parent, rng)
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

/// By choice, the node that its first operation feeds, layers with one input aside. A choice of
/// another kind gets a number of its own.
fn fed_nodes(space: &Space) -> Vec<NodeIndex> {
    let nodes = &space.template().nodes;
    let reader = |node: NodeIndex| nodes.iter().position(|other| other.inputs.contains(&node));
    let fed = |choice: ChoiceIndex| {
        let is_first = |node: &TemplateNode| matches!(&node.layer, TemplateLayer::Operation { choice: of, .. } if *of == choice);
        let mut node = reader(nodes.iter().position(is_first)?)?;
        while matches!(nodes[node].layer, TemplateLayer::Layer(_)) && nodes[node].inputs.len() == 1
        {
            node = reader(node)?;
        }
        (nodes[node].inputs.len() > 1).then_some(node)
    };
    (0..space.n_choices()).map(|choice| fed(choice).unwrap_or(nodes.len() + choice)).collect()
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
    fn nodes_are_drawn_equally_often_and_then_their_edges() {
        // Edges 0>1; 0>2, 1>2; 0>3, 1>3, 2>3, in this order.
        let space = cell(4, &[]);
        let mut rng = generator(5);
        let mut mutation = Mutation::new(&space);
        let parent = random_genotype(&space, &mut rng).unwrap();
        let mut drawn = vec![0_u32; space.n_choices()];
        for _ in 0..6000 {
            let child = mutation.one_choice_by_node(&parent, &mut rng);
            assert_eq!((space.check(&child), differences(&parent, &child)), (Ok(()), 1));
            let place = parent.0.iter().zip(&child.0).position(|(a, b)| a != b).unwrap();
            drawn[place] += 1;
        }
        for (&n, share) in drawn.iter().zip([3, 6, 6, 9, 9, 9]) {
            assert!(n.abs_diff(6000 / share) < 6000 / share / 8, "{drawn:?}");
        }
    }

    #[test]
    fn choices_that_feed_no_sum_are_nodes_of_their_own() {
        let space = chain(&[2, 4]);
        let parent = Genotype(vec![1, 2]);
        let mut mutation = Mutation::new(&space);
        let mut rng = generator(0);
        let children: std::collections::BTreeSet<Genotype> =
            (0..100).map(|_| mutation.one_choice_by_node(&parent, &mut rng)).collect();
        assert_eq!(children.len(), 4);
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
