//! What a genotype decides: which parts of the template matter, and what is left of them.

use super::reader::Spare;
use super::{ChoiceIndex, Effect, Reader, Space, TemplateLayer};
use crate::genotype::Genotype;
use crate::graph::{Layer, NodeIndex};

/// What a genotype makes of one node of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Nothing that reaches an output reads it.
    Dead,
    /// It gives zeros.
    Zero,
    /// It gives what another node gives.
    Same(NodeIndex),
    /// Its layer is computed from these nodes.
    Layer(Vec<NodeIndex>),
    /// These candidates are computed from these nodes and summed with what `identity` names.
    Operations {
        /// Positions of candidates that compute something.
        candidates: Vec<usize>,
        /// The first input, once for every candidate that passes it on.
        identities: usize,
        /// The inputs.
        inputs: Vec<NodeIndex>,
    },
    /// The sum of these nodes, at least two.
    Sum(Vec<NodeIndex>),
}

/// A genotype's reading of a template, node by node; every node named here is itself not `Dead`,
/// `Zero` or `Same`, except where a layer must read zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of each node.
    pub nodes: Vec<Decided>,
    /// The nodes that the outputs come from.
    pub outputs: Vec<NodeIndex>,
    /// Which choices were looked at; the others' values do not matter.
    pub active: Vec<bool>,
}

/// Which choices of a template a genotype reads; keeps its memory from one genotype to the next.
#[derive(Clone, Debug, Default)]
pub struct Active {
    nodes: Vec<bool>,
    choices: Vec<bool>,
}

impl Active {
    /// The choices that matter, in their order.
    pub fn choices(&self) -> impl Iterator<Item = ChoiceIndex> + '_ {
        self.choices.iter().enumerate().filter(|(_, active)| **active).map(|(choice, _)| choice)
    }

    /// Whether this choice's value matters; false for a choice that does not exist.
    #[must_use]
    pub fn contains(&self, choice: ChoiceIndex) -> bool {
        self.choices.get(choice).copied().unwrap_or(false)
    }
}

impl Space {
    /// Reads the template with this genotype: drops dead branches and zeros, skips identities.
    ///
    /// Zeros pass through operations, sums and whatever maps zero to zero; a layer that makes
    /// something of zeros (a bias, an affine normalisation outside an operation) reads them.
    ///
    /// # Panics
    /// If the genotype is none of this space ([`Space::check`]).
    #[must_use]
    pub fn decide(&self, genotype: &Genotype) -> Decision {
        let mut reader = Reader::default();
        self.decide_in(genotype, &mut reader);
        reader.decision
    }

    /// The same into memory that was used before.
    pub(super) fn decide_in(&self, genotype: &Genotype, reader: &mut Reader) {
        let Reader { active, decision, spare, .. } = reader;
        let Decision { nodes: decided, outputs, active: choices } = decision;
        let template = self.template();
        self.walk_back(genotype, active, false);
        choices.clone_from(&active.choices);
        decided.drain(..).for_each(|decided| spare.give_all(decided));
        for (node, needed) in template.nodes.iter().zip(&active.nodes) {
            let new = match needed {
                true => self.decide_node(genotype, &node.layer, &node.inputs, decided, spare),
                false => Decided::Dead,
            };
            decided.push(new);
        }
        outputs.clear();
        outputs.extend(template.outputs.iter().map(|&output| resolve(decided, output)));
        mark_dead(decided, outputs, &mut active.nodes, spare);
    }

    /// The genotype with every value that does not matter set to 0.
    ///
    /// # Panics
    /// If the genotype is none of this space.
    #[must_use]
    pub fn normalize(&self, genotype: &Genotype) -> Genotype {
        let mut active = Active::default();
        self.read_active(genotype, &mut active);
        let keep = |(&value, &active): (&u16, &bool)| if active { value } else { 0 };
        Genotype(genotype.0.iter().zip(&active.choices).map(keep).collect())
    }

    /// Finds out which choices matter, without allocating where `active` was used before.
    ///
    /// # Panics
    /// If the genotype is none of this space.
    pub fn read_active(&self, genotype: &Genotype, active: &mut Active) {
        // The last of many equal cells nearly always shows that every choice matters.
        self.walk_back(genotype, active, true);
    }

    /// Which nodes are read on the way back from the outputs, and which choices are met.
    pub(super) fn needed(&self, genotype: &Genotype) -> (Vec<bool>, Vec<bool>) {
        let mut active = Active::default();
        self.walk_back(genotype, &mut active, false);
        (active.nodes, active.choices)
    }

    /// Marks what is read; where only choices are asked for, ends as soon as all are met.
    fn walk_back(&self, genotype: &Genotype, active: &mut Active, choices_only: bool) {
        let template = self.template();
        let Active { nodes: needed, choices: active } = active;
        needed.clear();
        needed.resize(template.nodes.len(), false);
        active.clear();
        active.resize(template.choices.len(), false);
        let mut n_unmet = template.choices.len();
        template.outputs.iter().for_each(|&output| needed[output] = true);
        for index in (0..template.nodes.len()).rev() {
            if !needed[index] {
                continue;
            }
            let inputs = &template.nodes[index].inputs;
            let mut select = |choice: ChoiceIndex| {
                n_unmet -= usize::from(!std::mem::replace(&mut active[choice], true));
                self.selection(choice, genotype.0[choice])
            };
            match &template.nodes[index].layer {
                TemplateLayer::Layer(_) => inputs.iter().for_each(|&input| needed[input] = true),
                TemplateLayer::Wide { width, .. } => {
                    select(*width);
                    inputs.iter().for_each(|&input| needed[input] = true);
                }
                TemplateLayer::Operation { choice, effects, .. } => {
                    let reads = |&candidate: &usize| effects.get(candidate) != Some(&Effect::Zero);
                    if select(*choice).iter().any(reads) {
                        inputs.iter().for_each(|&input| needed[input] = true);
                    }
                }
                TemplateLayer::Inputs { choice } | TemplateLayer::Depth { choice } => {
                    select(*choice).iter().for_each(|&position| needed[inputs[position]] = true);
                }
            }
            if choices_only && n_unmet == 0 {
                return;
            }
        }
    }

    fn decide_node(
        &self,
        genotype: &Genotype,
        layer: &TemplateLayer,
        inputs: &[NodeIndex],
        decided: &[Decided],
        spare: &mut Spare,
    ) -> Decided {
        let selected = |choice: ChoiceIndex| self.selection(choice, genotype.0[choice]);
        match layer {
            TemplateLayer::Layer(Layer::Add | Layer::Identity) => {
                sum(inputs.iter().copied(), decided, spare)
            }
            TemplateLayer::Inputs { choice } | TemplateLayer::Depth { choice } => {
                let inputs = selected(*choice).iter().map(|&position| inputs[position]);
                sum(inputs, decided, spare)
            }
            TemplateLayer::Layer(Layer::Zero { .. }) => Decided::Zero,
            TemplateLayer::Layer(layer) | TemplateLayer::Wide { layer, .. } => {
                let zero = !inputs.is_empty() && keeps_zero(layer) && are_zero(inputs, decided);
                match zero {
                    true => Decided::Zero,
                    false => Decided::Layer(resolve_all(inputs, decided, spare)),
                }
            }
            TemplateLayer::Operation { choice, effects, .. } => {
                if are_zero(inputs, decided) {
                    return Decided::Zero;
                }
                let mut candidates = spare.take();
                let mut identities = 0;
                for &candidate in selected(*choice) {
                    match effects.get(candidate) {
                        Some(Effect::Identity) => identities += 1,
                        Some(Effect::Zero) => {}
                        _ => candidates.push(candidate),
                    }
                }
                let first = resolve(decided, inputs[0]);
                match (candidates.is_empty(), identities) {
                    (true, 0) => spare.give(candidates),
                    (true, 1) if decided[first] == Decided::Zero => spare.give(candidates),
                    (true, 1) => {
                        spare.give(candidates);
                        return Decided::Same(first);
                    }
                    _ => {
                        let inputs = resolve_all(inputs, decided, spare);
                        return Decided::Operations { candidates, identities, inputs };
                    }
                }
                Decided::Zero
            }
        }
    }
}

/// The sum of these nodes, without those that are zero.
fn sum(inputs: impl Iterator<Item = NodeIndex>, decided: &[Decided], spare: &mut Spare) -> Decided {
    let mut terms = spare.take();
    let resolved = inputs.map(|input| resolve(decided, input));
    terms.extend(resolved.filter(|&term| decided[term] != Decided::Zero));
    let short = match terms.as_slice() {
        [] => Decided::Zero,
        [only] => Decided::Same(*only),
        _ => return Decided::Sum(terms),
    };
    spare.give(terms);
    short
}

fn are_zero(inputs: &[NodeIndex], decided: &[Decided]) -> bool {
    inputs.iter().all(|&input| decided[resolve(decided, input)] == Decided::Zero)
}

fn resolve_all(inputs: &[NodeIndex], decided: &[Decided], spare: &mut Spare) -> Vec<NodeIndex> {
    let mut resolved = spare.take();
    resolved.extend(inputs.iter().map(|&input| resolve(decided, input)));
    resolved
}

/// Follows [`Decided::Same`].
fn resolve(decided: &[Decided], node: NodeIndex) -> NodeIndex {
    match decided[node] {
        Decided::Same(other) => other,
        _ => node,
    }
}

/// Whether zeros in give zeros out.
fn keeps_zero(layer: &Layer) -> bool {
    use crate::graph::Activation::{HardSigmoid, Sigmoid};
    match layer {
        Layer::Conv1d(conv) => !conv.bias,
        Layer::Conv2d(conv) => !conv.bias,
        Layer::Linear(linear) => !linear.bias,
        Layer::BatchNorm(norm) => !norm.affine,
        Layer::LayerNorm(norm) => !norm.affine,
        Layer::GroupNorm(norm) => !norm.affine,
        Layer::Activation(activation) => !matches!(activation, Sigmoid | HardSigmoid),
        Layer::Softmax { .. } | Layer::Embedding(_) | Layer::Input { .. } => false,
        _ => true,
    }
}

/// Marks what nothing reads any more, now that zeros and identities are gone.
fn mark_dead(
    decided: &mut [Decided],
    outputs: &[NodeIndex],
    read: &mut Vec<bool>,
    spare: &mut Spare,
) {
    read.clear();
    read.resize(decided.len(), false);
    outputs.iter().for_each(|&output| read[output] = true);
    for index in (0..decided.len()).rev() {
        if !read[index] {
            spare.give_all(std::mem::replace(&mut decided[index], Decided::Dead));
            continue;
        }
        let inputs: &[NodeIndex] = match &decided[index] {
            Decided::Dead | Decided::Zero | Decided::Same(_) => &[],
            Decided::Layer(inputs) | Decided::Operations { inputs, .. } | Decided::Sum(inputs) => {
                inputs
            }
        };
        inputs.iter().for_each(|&input| read[input] = true);
    }
}
