//! Reading many genotypes without allocating for each.

use super::canonical::Hashing;
use super::{Active, CanonicalHash, Decided, Decision, Space};
use crate::genotype::Genotype;
use crate::graph::NodeIndex;

/// Reads one genotype after the other, and keeps its memory from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    pub(super) active: Active,
    pub(super) decision: Decision,
    pub(super) spare: Spare,
    pub(super) hashing: Hashing,
}

impl Reader {
    /// What a genotype decides, and the canonical hash of its network.
    ///
    /// # Panics
    /// If the genotype is none of this space ([`Space::check`]).
    pub fn read(&mut self, space: &Space, genotype: &Genotype) -> (CanonicalHash, &Decision) {
        space.decide_in(genotype, self);
        let canonical = space.hash_in(&self.decision, genotype, &mut self.hashing);
        (canonical, &self.decision)
    }
}

/// Lists that are out of use.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare(Vec<Vec<usize>>);

impl Spare {
    /// An empty list.
    pub(super) fn take(&mut self) -> Vec<usize> {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn give(&mut self, mut list: Vec<NodeIndex>) {
        list.clear();
        self.0.push(list);
    }

    /// Takes the lists of a reading that is over.
    pub(super) fn give_all(&mut self, decided: Decided) {
        match decided {
            Decided::Dead | Decided::Zero | Decided::Same(_) => {}
            Decided::Layer(inputs) | Decided::Sum(inputs) => self.give(inputs),
            Decided::Operations { candidates, inputs, .. } => {
                self.give(candidates);
                self.give(inputs);
            }
        }
    }
}
