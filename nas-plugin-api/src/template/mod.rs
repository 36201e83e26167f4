//! Templates: a layer graph with choices in it.
//!
//! One definition has two readings. With a [`crate::genotype::Genotype`] it is one concrete
//! network; without, it is a supernet in which every choice node is a mixture. A search space
//! makes a template once, for a [`Scale`]; choice ids do not depend on the scale, so a genotype
//! found on a small network is trained on a large one.
//!
//! [`Space`] is a checked template that can be asked: for valid genotypes, their text, the
//! decisions that matter, and the canonical hash that equal networks share.

mod builder;
mod canonical;
mod choice;
mod decision;
mod reader;
mod space;
mod text;

pub use builder::TemplateBuilder;
pub use canonical::CanonicalHash;
pub use choice::{Choice, Constraint, Options};
pub use decision::{Active, Decided, Decision};
pub use reader::Reader;
pub use space::{GenotypeError, Space, TemplateError};
pub use text::TextError;

use serde::{Deserialize, Serialize};

use crate::graph::{Layer, NodeIndex, Shape};

/// Position of a choice in [`Template::choices`].
pub type ChoiceIndex = usize;

/// How large the networks of a space are, and what they are for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// One example's shape, `[channels, height, width]` for images.
    pub input: Shape,
    /// Number of logits.
    pub classes: usize,
    /// Channels of the first stage; the space's own default where absent.
    #[serde(default)]
    pub channels: Option<usize>,
    /// Cells, or cells a stage; the space's own default where absent.
    #[serde(default)]
    pub cells: Option<usize>,
    /// Whether the network has an auxiliary head, where the space knows one.
    #[serde(default)]
    pub auxiliary_head: bool,
    /// Supernet or final network, for the fixed layers that differ between them (the batch norms
    /// behind the inputs of a DARTS cell); choices and nodes are the same for both.
    #[serde(default)]
    pub role: Role,
}

/// What a network is built for. Published operations differ: DARTS searches without affine batch
/// normalisation and with one behind each pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A path of a supernet.
    Search,
    /// Part of a network that is trained alone.
    #[default]
    Final,
}

/// A layer graph with choices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// The space's name.
    pub space: String,
    /// What is chosen.
    pub choices: Vec<Choice>,
    /// The layers and choice nodes, inputs first.
    pub nodes: Vec<TemplateNode>,
    /// What the network returns: its logits first, then the logits of auxiliary heads.
    pub outputs: Vec<NodeIndex>,
    /// What every genotype must satisfy.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
}

/// One node of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateNode {
    /// Path-like name, unique in the template.
    pub name: String,
    /// What is computed.
    pub layer: TemplateLayer,
    /// The nodes that are read, each before this one.
    #[serde(default)]
    pub inputs: Vec<NodeIndex>,
}

/// What a template's node computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TemplateLayer {
    /// A fixed layer.
    Layer(Layer),
    /// A layer whose output channels (or features) a [`Options::Width`] choice decides.
    Wide {
        /// The layer, with the largest width.
        layer: Layer,
        /// The choice.
        width: ChoiceIndex,
    },
    /// The candidate operations that an [`Options::Operation`] choice selects, summed; nothing
    /// selected is zero.
    Operation {
        /// The choice.
        choice: ChoiceIndex,
        /// What every candidate is built for.
        context: OperationContext,
        /// What each candidate does here; filled in by the core from the operations' layer
        /// graphs, empty when a space makes the template.
        #[serde(default)]
        effects: Vec<Effect>,
    },
    /// The sum of the inputs that an [`Options::Inputs`] choice selects; none is zero.
    Inputs {
        /// The choice.
        choice: ChoiceIndex,
    },
    /// The input that an [`Options::Depth`] choice selects: what comes out after so many repeats.
    Depth {
        /// The choice.
        choice: ChoiceIndex,
    },
}

/// What an operation is built for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OperationContext {
    /// Supernet or final network; set by the core.
    pub role: Role,
    /// Shapes of the inputs; set by the core.
    pub inputs: Vec<Shape>,
    /// The shape to return.
    pub output: Shape,
    /// Step in every spatial axis: 1, or 2 in a reduction.
    pub stride: usize,
}

impl OperationContext {
    /// Channels to return.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.output.channels()
    }

    /// Channels of the first input.
    #[must_use]
    pub fn input_channels(&self) -> usize {
        self.inputs.first().map_or(0, Shape::channels)
    }
}

/// What a candidate operation does at one place, as far as equality of networks is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It gives zeros whatever it reads.
    Zero,
    /// It gives its first input unchanged.
    Identity,
    /// It computes something, without learnt parameters.
    Fixed,
    /// It has learnt parameters, so two copies are two different things.
    Learnt,
}
