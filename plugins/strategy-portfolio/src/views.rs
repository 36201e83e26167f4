//! What is seen of a genotype.

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::template::{Effect, Options, Space, TemplateLayer};

/// Bits into which paths are hashed. The cells of NAS-Bench-201 have 85 different ones, of which a
/// network has four at most.
const WORDS: usize = 4;
/// Most paths to one node that are followed.
const MAX_PATHS: usize = 256;
/// Of the same size as 2^64 / golden ratio: spreads small numbers over all bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Three views of one genotype, made for fast comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Views {
    values: Vec<u16>,
    /// How often each operation is chosen.
    counts: Vec<u16>,
    /// Which paths there are, one bit each: the operations on it in order, identities left out.
    paths: [u64; WORDS],
}

/// Differences beyond this count as this.
pub(crate) const LONGEST: usize = 63;

/// How different two genotypes are in each view, at most [`LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Choices that differ.
    pub(crate) values: u8,
    /// Sum over operations of the differences of their counts.
    pub(crate) counts: u8,
    /// Paths that one of both has.
    pub(crate) paths: u8,
}

impl Views {
    pub(crate) fn differences(&self, other: &Self) -> Differences {
        let values = self.values.iter().zip(&other.values).filter(|(a, b)| a != b).count();
        let counts = self.counts.iter().zip(&other.counts);
        let paths = self.paths.iter().zip(&other.paths);
        let short = |difference: usize| difference.min(LONGEST) as u8;
        Differences {
            values: short(values),
            counts: short(counts.map(|(a, b)| usize::from(a.abs_diff(*b))).sum()),
            paths: short(paths.map(|(a, b)| (a ^ b).count_ones() as usize).sum()),
        }
    }
}

/// Makes views of the genotypes of one space.
pub(crate) struct Viewer {
    space: Space,
    /// By choice and candidate, the operation's number; empty for other choices.
    operations: Vec<Vec<usize>>,
    n_operations: usize,
    /// By node: whether it is the first that its choice decides. Later copies of a cell add nothing.
    is_first: Vec<bool>,
    /// By node, the paths to it, as hashes; kept from call to call.
    paths: Vec<Vec<u64>>,
}

impl Viewer {
    pub(crate) fn new(space: &Space) -> Self {
        let template = space.template();
        let mut names: Vec<&str> = Vec::new();
        let mut operations = Vec::new();
        for choice in &template.choices {
            let candidates: &[String] = match &choice.options {
                Options::Operation { candidates, .. } => candidates,
                _ => &[],
            };
            let mut numbers = Vec::with_capacity(candidates.len());
            for name in candidates {
                let known = names.iter().position(|known| known == name);
                numbers.push(known.unwrap_or(names.len()));
                if known.is_none() {
                    names.push(name);
                }
            }
            operations.push(numbers);
        }
        let mut seen = vec![false; template.choices.len()];
        let is_first = template.nodes.iter().map(|node| match &node.layer {
            TemplateLayer::Operation { choice, .. } => !std::mem::replace(&mut seen[*choice], true),
            _ => false,
        });
        Self {
            is_first: is_first.collect(),
            n_operations: names.len(),
            operations,
            paths: vec![Vec::new(); template.nodes.len()],
            space: space.clone(),
        }
    }

    /// The views of a genotype of the space.
    pub(crate) fn views(&mut self, genotype: &Genotype) -> Views {
        let mut counts = vec![0; self.n_operations];
        for (choice, operations) in self.operations.iter().enumerate() {
            if !operations.is_empty() {
                for &candidate in self.space.selection(choice, genotype.0[choice]) {
                    counts[operations[candidate]] += 1;
                }
            }
        }
        Views { values: genotype.0.clone(), counts, paths: self.find_paths(genotype) }
    }

    /// Follows all paths from the inputs, node by node.
    fn find_paths(&mut self, genotype: &Genotype) -> [u64; WORDS] {
        for index in 0..self.paths.len() {
            let mut found = std::mem::take(&mut self.paths[index]);
            found.clear();
            self.paths_to(index, genotype, &mut found);
            found.sort_unstable();
            found.dedup();
            found.truncate(MAX_PATHS);
            self.paths[index] = found;
        }
        let mut bits = [0; WORDS];
        for &output in &self.space.template().outputs {
            for path in &self.paths[output] {
                let bit = (path.wrapping_mul(SPREAD) >> 56) as usize % (64 * WORDS);
                bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        bits
    }

    fn paths_to(&self, index: NodeIndex, genotype: &Genotype, found: &mut Vec<u64>) {
        let node = &self.space.template().nodes[index];
        let mut take = |input: NodeIndex| found.extend(&self.paths[input]);
        match &node.layer {
            TemplateLayer::Inputs { choice } | TemplateLayer::Depth { choice } => {
                let selected = self.space.selection(*choice, genotype.0[*choice]);
                selected.iter().for_each(|&position| take(node.inputs[position]));
            }
            TemplateLayer::Operation { choice, effects, .. } => {
                for &candidate in self.space.selection(*choice, genotype.0[*choice]) {
                    match effects.get(candidate) {
                        Some(Effect::Zero) => {}
                        Some(Effect::Identity) => found.extend(&self.paths[node.inputs[0]]),
                        _ if !self.is_first[index] => found.extend(&self.paths[node.inputs[0]]),
                        _ => {
                            let operation = self.operations[*choice][candidate] as u64 + 1;
                            let longer = |path: &u64| {
                                (path ^ operation).wrapping_mul(SPREAD).rotate_left(23)
                            };
                            found.extend(self.paths[node.inputs[0]].iter().map(longer));
                        }
                    }
                }
            }
            _ if node.inputs.is_empty() => found.push(1),
            _ => node.inputs.iter().for_each(|&input| take(input)),
        }
    }
}
