//! Feature shapes and what can be wrong with them.

use serde::{Deserialize, Serialize};

/// Largest number of elements that a single feature map may have (a guard against typing errors
/// and hostile plugins; the largest ImageNet feature maps have about 3 million).
pub const MAX_ELEMENTS: usize = 1 << 31;

/// A feature map's shape without the batch dimension: `[channels, height, width]` for images,
/// `[channels, length]` for series, `[tokens, features]` for sequences, `[features]` for vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(pub Vec<usize>);

/// Why a layer can't be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The layer takes another number of inputs.
    #[error("{layer} takes {expected} inputs, got {found}")]
    Arity {
        /// The layer's name.
        layer: &'static str,
        /// How many it takes, in words.
        expected: &'static str,
        /// How many it got.
        found: usize,
    },
    /// The layer works on another rank.
    #[error("{layer} needs an input of shape {expected}, got {found}")]
    Rank {
        /// The layer's name.
        layer: &'static str,
        /// The form that it needs.
        expected: &'static str,
        /// What it got.
        found: Shape,
    },
    /// Inputs that must agree do not.
    #[error("{layer} needs inputs that agree, got {first} and {other}")]
    Disagree {
        /// The layer's name.
        layer: &'static str,
        /// The first input's shape.
        first: Shape,
        /// The shape that differs.
        other: Shape,
    },
    /// An attribute is out of its range.
    #[error("{layer}: {attribute} is {found}, expected {expected}")]
    Attribute {
        /// The layer's name.
        layer: &'static str,
        /// The attribute's name.
        attribute: &'static str,
        /// Its value.
        found: String,
        /// What would have been right.
        expected: String,
    },
    /// The window is larger than the padded input.
    #[error("{layer}: a window of {window} does not fit an input of {size} with padding {padding}")]
    Window {
        /// The layer's name.
        layer: &'static str,
        /// The window's extent, dilation included.
        window: usize,
        /// The input's extent.
        size: usize,
        /// The padding on each side.
        padding: usize,
    },
    /// The result would be absurdly large.
    #[error("{layer} would make a feature map of more than {MAX_ELEMENTS} elements: {shape}")]
    TooLarge {
        /// The layer's name.
        layer: &'static str,
        /// The shape in question.
        shape: Shape,
    },
}

impl Shape {
    /// Number of elements of one example.
    ///
    /// Saturates instead of overflowing.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.0.iter().fold(1, |product: usize, &extent| product.saturating_mul(extent))
    }

    /// The channels of an image or series, the features of a vector, the tokens of a sequence.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.0.first().copied().unwrap_or(0)
    }

    /// Everything behind the channels.
    #[must_use]
    pub fn spatial(&self) -> &[usize] {
        self.0.get(1..).unwrap_or(&[])
    }
}

impl<const RANK: usize> From<[usize; RANK]> for Shape {
    fn from(extents: [usize; RANK]) -> Self {
        Self(extents.to_vec())
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extents: Vec<String> = self.0.iter().map(usize::to_string).collect();
        write!(out, "[{}]", extents.join(", "))
    }
}
