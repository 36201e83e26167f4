//! The canonical hash: equal for genotypes that are the same network.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_128;

use super::{Decided, Decision, Effect, Reader, Space, TemplateLayer};
use crate::genotype::Genotype;
use crate::graph::{Layer, NodeIndex};

/// A hash that genotypes share when they are the same network: dead branches removed, identities
/// skipped, sums in any order.
///
/// Equal hashes mean equal networks (up to collisions of 128 bits). Isomorphic networks in which
/// equal branches are told apart only by what else reads them may escape recognition; they are
/// then merely trained twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalHash(pub u128);

impl std::fmt::Display for CanonicalHash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl std::str::FromStr for CanonicalHash {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

impl Space {
    /// The canonical hash of a genotype.
    ///
    /// # Panics
    /// If the genotype is none of this space ([`Space::check`]).
    #[must_use]
    pub fn canonical_hash(&self, genotype: &Genotype) -> CanonicalHash {
        Reader::default().read(self, genotype).0
    }

    /// The canonical hash of a decision already made.
    ///
    /// The graph behind the outputs is written down in an order that does not depend on node
    /// numbers (the inputs of sums sorted by their trees), and a node met again is written as a
    /// reference: a shared learnt layer differs from two equal ones.
    pub(super) fn hash_in(
        &self,
        decision: &Decision,
        genotype: &Genotype,
        memory: &mut Hashing,
    ) -> CanonicalHash {
        self.mark(decision, genotype, memory);
        let Hashing { marks, met, own, script, stack, .. } = memory;
        met.clear();
        own.clear();
        own.resize(marks.len(), None);
        let mut n_met = 0_u32;
        script.clear();
        stack.clear();
        stack.extend(decision.outputs.iter().rev());
        while let Some(node) = stack.pop() {
            let Marks { tree, identity } = marks[node];
            // A learnt layer is only itself, so its place will do.
            let number = match identity == node as u128 {
                true => &mut own[node],
                false => met.entry(identity).or_default(),
            };
            if let Some(number) = number {
                script.extend_from_slice(&number.to_le_bytes());
                continue;
            }
            *number = Some(n_met);
            n_met += 1;
            script.extend_from_slice(&tree.to_le_bytes());
            let (inputs, unordered) = self.inputs(node, &decision.nodes[node]);
            let below = stack.len();
            stack.extend(inputs);
            match unordered {
                true => stack[below..].sort_by_key(|&input| (marks[input].tree, input)),
                false => stack[below..].reverse(),
            }
        }
        CanonicalHash(xxh3_128(script))
    }

    /// Two hashes for every node that is alive.
    fn mark(&self, decision: &Decision, genotype: &Genotype, memory: &mut Hashing) {
        let Hashing { marks, bytes, hashes, .. } = memory;
        marks.clear();
        marks.resize(decision.nodes.len(), Marks::default());
        for (node, decided) in decision.nodes.iter().enumerate() {
            if matches!(decided, Decided::Dead | Decided::Same(_)) {
                continue;
            }
            let (inputs, unordered) = self.inputs(node, decided);
            bytes.clear();
            self.sign(node, decided, genotype, bytes);
            let n_signed = bytes.len();
            let mut hash_with = |of: &dyn Fn(&Marks) -> u128| {
                hashes.clear();
                hashes.extend(inputs.iter().map(|&input| of(&marks[input])));
                if unordered {
                    hashes.sort_unstable();
                }
                bytes.truncate(n_signed);
                hashes.iter().for_each(|hash| bytes.extend_from_slice(&hash.to_le_bytes()));
                xxh3_128(bytes)
            };
            let tree = hash_with(&|input| input.tree);
            let identity = match self.is_learnt(node, decided) {
                true => node as u128,
                false => hash_with(&|input| input.identity),
            };
            marks[node] = Marks { tree, identity };
        }
    }

    /// What a node computes, without its inputs.
    fn sign(&self, node: NodeIndex, decided: &Decided, genotype: &Genotype, bytes: &mut Vec<u8>) {
        match decided {
            Decided::Dead | Decided::Same(_) | Decided::Zero => bytes.push(0),
            Decided::Sum(_) => bytes.push(1),
            Decided::Layer(_) => {
                bytes.push(2);
                bytes.extend_from_slice(&self.signature(node).to_le_bytes());
                if let TemplateLayer::Wide { width, .. } = &self.template().nodes[node].layer {
                    bytes.extend_from_slice(&genotype.0[*width].to_le_bytes());
                }
            }
            Decided::Operations { candidates, identities, .. } => {
                bytes.push(3);
                bytes.extend_from_slice(&self.signature(node).to_le_bytes());
                bytes.extend_from_slice(&(*identities as u32).to_le_bytes());
                for &candidate in candidates {
                    bytes.extend_from_slice(&(candidate as u32).to_le_bytes());
                }
            }
        }
    }

    /// The inputs that a decided node reads, and whether their order is free.
    fn inputs<'a>(&self, node: NodeIndex, decided: &'a Decided) -> (&'a [NodeIndex], bool) {
        match decided {
            Decided::Dead | Decided::Zero | Decided::Same(_) => (&[], false),
            Decided::Operations { inputs, .. } => (inputs, false),
            Decided::Sum(inputs) => (inputs, true),
            Decided::Layer(inputs) => match &self.template().nodes[node].layer {
                TemplateLayer::Layer(Layer::Concat(concat)) => (inputs, concat.unordered),
                _ => (inputs, false),
            },
        }
    }

    /// Whether two nodes that compute the same from the same inputs are still two things.
    fn is_learnt(&self, node: NodeIndex, decided: &Decided) -> bool {
        match (&self.template().nodes[node].layer, decided) {
            (TemplateLayer::Operation { effects, .. }, Decided::Operations { candidates, .. }) => {
                let learnt = |&candidate: &usize| effects.get(candidate) != Some(&Effect::Fixed);
                candidates.iter().any(learnt)
            }
            (
                TemplateLayer::Layer(layer) | TemplateLayer::Wide { layer, .. },
                Decided::Layer(_),
            ) => layer.is_learnt(),
            _ => false,
        }
    }
}

/// Memory that is kept from one hash to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Hashing {
    marks: Vec<Marks>,
    bytes: Vec<u8>,
    hashes: Vec<u128>,
    /// The number of each identity that was met, and of each learnt layer by its place.
    met: HashMap<u128, Option<u32>, BuildHasherDefault<Folded>>,
    own: Vec<Option<u32>>,
    script: Vec<u8>,
    stack: Vec<NodeIndex>,
}

/// `tree` describes the computation behind a node, whatever it shares; `identity` tells whether
/// two nodes are one and the same value.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    tree: u128,
    identity: u128,
}

/// Hashes what is a hash already, or a node's number.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u128(u128::from(byte)));
    }

    fn write_u128(&mut self, number: u128) {
        // The golden ratio's bits, as in Knuth's multiplicative hashing: the map looks at the
        // highest bits too.
        let folded = self.0 ^ (number as u64) ^ ((number >> 64) as u64);
        self.0 = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
