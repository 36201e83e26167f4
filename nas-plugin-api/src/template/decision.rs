//! What a genotype decides: which parts of the template matter, and what is left of them.

use super::{ChoiceIndex, Effect, Space, TemplateLayer};
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let (needed, active) = self.needed(genotype);
        let nodes = &self.template().nodes;
        let mut decided: Vec<Decided> = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            decided.push(match needed[index] {
                true => self.decide_node(genotype, &node.layer, &node.inputs, &decided),
                false => Decided::Dead,
            });
        }
        let outputs: Vec<NodeIndex> =
            self.template().outputs.iter().map(|&output| resolve(&decided, output)).collect();
        mark_dead(&mut decided, &outputs);
        Decision { nodes: decided, outputs, active }
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
    ) -> Decided {
        let is_zero = |&input: &NodeIndex| decided[input] == Decided::Zero;
        let sum = |inputs: &mut dyn Iterator<Item = NodeIndex>| {
            let terms: Vec<NodeIndex> = inputs.map(|input| resolve(decided, input)).collect();
            let terms: Vec<NodeIndex> = terms.into_iter().filter(|term| !is_zero(term)).collect();
            match terms.as_slice() {
                [] => Decided::Zero,
                [only] => Decided::Same(*only),
                _ => Decided::Sum(terms),
            }
        };
        let selected = |choice: ChoiceIndex| self.selection(choice, genotype.0[choice]);
        match layer {
            TemplateLayer::Layer(Layer::Add) => sum(&mut inputs.iter().copied()),
            TemplateLayer::Inputs { choice } => {
                sum(&mut selected(*choice).iter().map(|&position| inputs[position]))
            }
            TemplateLayer::Depth { choice } => {
                sum(&mut selected(*choice).iter().map(|&position| inputs[position]))
            }
            TemplateLayer::Layer(Layer::Identity) => sum(&mut inputs.iter().copied()),
            TemplateLayer::Layer(Layer::Zero { .. }) => Decided::Zero,
            TemplateLayer::Layer(layer) | TemplateLayer::Wide { layer, .. } => {
                let inputs: Vec<NodeIndex> =
                    inputs.iter().map(|&input| resolve(decided, input)).collect();
                match !inputs.is_empty() && keeps_zero(layer) && inputs.iter().all(is_zero) {
                    true => Decided::Zero,
                    false => Decided::Layer(inputs),
                }
            }
            TemplateLayer::Operation { choice, effects, .. } => {
                let inputs: Vec<NodeIndex> =
                    inputs.iter().map(|&input| resolve(decided, input)).collect();
                if inputs.iter().all(is_zero) {
                    return Decided::Zero;
                }
                let effect = |candidate: usize| effects.get(candidate).copied();
                let selection = selected(*choice);
                let identities = selection
                    .iter()
                    .filter(|&&candidate| effect(candidate) == Some(Effect::Identity))
                    .count();
                let candidates: Vec<usize> = selection
                    .iter()
                    .copied()
                    .filter(|&candidate| {
                        !matches!(effect(candidate), Some(Effect::Identity | Effect::Zero))
                    })
                    .collect();
                match (candidates.is_empty(), identities) {
                    (true, 0) => Decided::Zero,
                    (true, 1) if is_zero(&inputs[0]) => Decided::Zero,
                    (true, 1) => Decided::Same(inputs[0]),
                    _ => Decided::Operations { candidates, identities, inputs },
                }
            }
        }
    }
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
fn mark_dead(decided: &mut [Decided], outputs: &[NodeIndex]) {
    let mut read = vec![false; decided.len()];
    outputs.iter().for_each(|&output| read[output] = true);
    for index in (0..decided.len()).rev() {
        if !read[index] {
            decided[index] = Decided::Dead;
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
