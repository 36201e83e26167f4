//! A genotype as the set of its paths.

use std::collections::HashMap;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::template::{Effect, Options, Space, TemplateLayer};

/// Most paths to one node that are followed, the shortest first.
const MAX_PATHS: usize = 1000;

/// The operations on the way from an input to an output, as numbers.
type Path = Vec<u16>;

/// Finds the paths of genotypes of one space: which operations follow each other from input to
/// output. A path with an operation that gives zero is none. Where nodes share a choice, as the
/// cells of a network do, the first of them counts.
///
/// # Source
/// White, Neiswanger, Savani. BANANAS. AAAI 2021, section 3.
pub(crate) struct Paths {
    space: Space,
    /// By choice and candidate, the operation's number.
    operations: Vec<Vec<u16>>,
    /// By node: whether it is the first that its choice decides.
    is_first: Vec<bool>,
}

impl Paths {
    pub(crate) fn new(space: &Space) -> Self {
        let template = space.template();
        let mut names: Vec<&str> = Vec::new();
        let mut number = |name| {
            names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            }) as u16
        };
        let mut operations = Vec::new();
        for choice in &template.choices {
            operations.push(match &choice.options {
                Options::Operation { candidates, .. } => {
                    candidates.iter().map(|name| number(name.as_str())).collect()
                }
                _ => Vec::new(),
            });
        }
        let mut seen = vec![false; template.choices.len()];
        let is_first = template.nodes.iter().map(|node| match &node.layer {
            TemplateLayer::Operation { choice, .. } => !std::mem::replace(&mut seen[*choice], true),
            _ => false,
        });
        Self { is_first: is_first.collect(), operations, space: space.clone() }
    }

    /// The paths of a genotype of the space, each once, the shortest first.
    pub(crate) fn of(&self, genotype: &Genotype) -> Vec<Path> {
        let template = self.space.template();
        let mut paths: Vec<Vec<Path>> = Vec::with_capacity(template.nodes.len());
        for index in 0..template.nodes.len() {
            let mut found = self.paths_to(index, genotype, &paths);
            tidy(&mut found);
            paths.push(found);
        }
        let mut all: Vec<Path> =
            template.outputs.iter().flat_map(|&output| paths[output].iter().cloned()).collect();
        tidy(&mut all);
        all
    }

    fn paths_to(&self, index: NodeIndex, genotype: &Genotype, known: &[Vec<Path>]) -> Vec<Path> {
        let node = &self.space.template().nodes[index];
        let to = |input: NodeIndex| known[input].iter().cloned();
        match &node.layer {
            TemplateLayer::Inputs { choice } | TemplateLayer::Depth { choice } => {
                let selected = self.space.selection(*choice, genotype.0[*choice]);
                selected.iter().flat_map(|&position| to(node.inputs[position])).collect()
            }
            TemplateLayer::Operation { .. } if !self.is_first[index] => {
                to(node.inputs[0]).collect()
            }
            TemplateLayer::Operation { choice, effects, .. } => {
                let selected = self.space.selection(*choice, genotype.0[*choice]);
                let alive = selected.iter().filter(|&&c| effects.get(c) != Some(&Effect::Zero));
                let longer = |&candidate: &usize| {
                    let operation = self.operations[*choice][candidate];
                    to(node.inputs[0]).map(move |mut path| {
                        path.push(operation);
                        path
                    })
                };
                alive.flat_map(longer).collect()
            }
            _ if node.inputs.is_empty() => vec![Path::new()],
            _ => node.inputs.iter().flat_map(|&input| to(input)).collect(),
        }
    }
}

fn tidy(paths: &mut Vec<Path>) {
    paths.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    paths.dedup();
    paths.truncate(MAX_PATHS);
}

/// Numbers the paths that occur in some genotypes; others are left out of encodings.
pub(crate) struct Encoding(HashMap<Path, usize>);

impl Encoding {
    /// Of at most so many paths, the shortest first, which are also the commonest.
    pub(crate) fn new<'a>(genotypes: impl Iterator<Item = &'a Vec<Path>>, most: usize) -> Self {
        let mut all: Vec<Path> = genotypes.flatten().cloned().collect();
        tidy(&mut all);
        all.truncate(most);
        Self(all.into_iter().enumerate().map(|(place, path)| (path, place)).collect())
    }

    /// How many numbers an encoding has.
    pub(crate) fn n(&self) -> usize {
        self.0.len()
    }

    /// 1 for each path that is there, else 0.
    pub(crate) fn encode(&self, paths: &[Path]) -> Vec<f32> {
        let mut bits = vec![0.0; self.0.len()];
        paths.iter().filter_map(|path| self.0.get(path)).for_each(|&place| bits[place] = 1.0);
        bits
    }
}
