//! A network as it is computed: the layer graph, with the operations that only the core knows.
//!
//! Concrete networks and supernets both become programs, so every rule of [`crate::rewrite`] and
//! every kernel serves both.

mod from_graph;
mod from_supernet;

use nas_plugin_api::graph::{BatchNorm, Conv2d, Layer, NodeIndex, Shape};

/// The nodes of a network in the order in which they can be computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The operations, inputs first.
    pub nodes: Vec<Node>,
    /// What the network returns: its logits first, then the logits of auxiliary heads.
    pub outputs: Vec<NodeIndex>,
    /// Number of paths of the mixture; 0 for a concrete network.
    pub n_paths: usize,
}

/// One operation and where its inputs come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Path-like name, unique; parameters are named after it.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// The nodes that are read, each before this one.
    pub inputs: Vec<NodeIndex>,
    /// One example's shape of the result.
    pub shape: Shape,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A layer of the data model, but never [`Layer::Add`].
    Layer(Layer),
    /// The sum of all inputs, each times its weight.
    Sum {
        /// One per input.
        terms: Vec<Term>,
    },
    /// A sum whose first inputs are batch-normalised, then perhaps a ReLU.
    NormalizedSum {
        /// The normalisations of the first inputs, alike but for their names.
        norms: Vec<Norm>,
        /// One per input.
        terms: Vec<Term>,
        /// Whether a ReLU follows.
        relu: bool,
    },
    /// One convolution in place of several that read the same input and are summed.
    MergedConvolution {
        /// The convolutions, all of stride 1 and the same extent.
        terms: Vec<MergedTerm>,
    },
    /// Every second (third, …) row and column, beginning with these.
    Subsample {
        /// First row and column.
        start: [usize; 2],
        /// Distance of rows and columns.
        step: [usize; 2],
    },
    /// The input times a weighted sum of masks, each of which lets the first channels through.
    WidthMask {
        /// One path per width.
        paths: Vec<usize>,
        /// The widths.
        widths: Vec<usize>,
    },
}

/// A term of a sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// The paths whose weights multiply the term; none means a weight of 1.
    pub paths: Vec<usize>,
    /// Whether the term is what an identity path hands on; dropout treats it differently.
    pub is_identity: bool,
}

/// A batch normalisation that became part of a sum, under its own name.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    /// The name of its parameters and statistics.
    pub name: String,
    /// Its settings.
    pub layer: BatchNorm,
}

/// A convolution that became part of another.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedTerm {
    /// The name of its parameters.
    pub name: String,
    /// Its settings; absent for an identity.
    pub convolution: Option<Conv2d>,
    /// Its weight in the sum.
    pub term: Term,
}

impl Program {
    /// How often each node is read; being an output counts.
    #[must_use]
    pub fn count_reads(&self) -> Vec<usize> {
        let mut reads = vec![0; self.nodes.len()];
        for &output in &self.outputs {
            reads[output] += 1;
        }
        for node in &self.nodes {
            for &input in &node.inputs {
                reads[input] += 1;
            }
        }
        reads
    }

    /// Makes all readers of a node read another.
    pub fn redirect(&mut self, stands_for: &[NodeIndex]) {
        for node in &mut self.nodes {
            for input in &mut node.inputs {
                *input = stands_for[*input];
            }
        }
        for output in &mut self.outputs {
            *output = stands_for[*output];
        }
    }

    /// The input nodes.
    #[must_use]
    pub fn input_nodes(&self) -> Vec<NodeIndex> {
        let is_input = |&index: &NodeIndex| self.nodes[index].is_input();
        (0..self.nodes.len()).filter(is_input).collect()
    }
}

impl Node {
    /// Whether it stands for an input of the network.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(self.op, Op::Layer(Layer::Input { .. }))
    }

    /// The layer, where it is one.
    #[must_use]
    pub fn layer(&self) -> Option<&Layer> {
        match &self.op {
            Op::Layer(layer) => Some(layer),
            _ => None,
        }
    }
}

impl Op {
    /// The weights of the inputs, where they have some.
    #[must_use]
    pub fn terms(&self) -> Option<&[Term]> {
        match self {
            Self::Sum { terms } | Self::NormalizedSum { terms, .. } => Some(terms),
            _ => None,
        }
    }
}
