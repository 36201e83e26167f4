//! The layers that the core can count, train and export.

use serde::{Deserialize, Serialize};

use super::Shape;

/// What a node computes. Channel counts of inputs are never stored: they follow from the shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// What the network is given.
    Input {
        /// One example's shape.
        shape: Shape,
    },
    /// The input, unchanged.
    Identity,
    /// Zeros, whatever the inputs are.
    Zero {
        /// The shape of the zeros.
        shape: Shape,
    },
    /// Convolution over `[channels, length]`.
    Conv1d(Conv1d),
    /// Convolution over `[channels, height, width]`.
    Conv2d(Conv2d),
    /// Matrix product with the last axis, `[.., features]` to `[.., out_features]`.
    Linear(Linear),
    /// Batch normalisation of the first axis.
    BatchNorm(BatchNorm),
    /// Layer normalisation of the last axis.
    LayerNorm(LayerNorm),
    /// Group normalisation of the first axis.
    GroupNorm(GroupNorm),
    /// An element-wise function.
    Activation(Activation),
    /// Maximum or average over windows of a series.
    Pool1d(Pool1d),
    /// Maximum or average over windows of an image.
    Pool2d(Pool2d),
    /// Average pooling to a fixed extent: `[channels, ..]` to `[channels, output..]`.
    AdaptiveAvgPool(Adaptive),
    /// Mean over everything but the channels: `[channels, ..]` to `[channels]`.
    GlobalAvgPool,
    /// Sum of two or more inputs of one shape.
    Add,
    /// Product of two inputs; the second may have extent 1 where the first has more.
    Mul,
    /// Inputs behind each other along one axis.
    Concat(Concat),
    /// A part of one axis.
    Slice(Slice),
    /// Two axes exchanged.
    Transpose {
        /// The first axis.
        first: Axis,
        /// The second axis.
        second: Axis,
    },
    /// The input times a constant.
    Scale {
        /// The constant, finite.
        factor: f64,
    },
    /// The same elements in another shape.
    Reshape {
        /// The new shape, of as many elements.
        shape: Shape,
    },
    /// Everything in one axis.
    Flatten,
    /// Matrix product of two inputs' last two axes.
    MatMul(MatMul),
    /// Softmax along one axis.
    Softmax {
        /// The axis whose elements sum to 1.
        axis: Axis,
    },
    /// Token numbers `[tokens]` to vectors `[tokens, features]`.
    Embedding(Embedding),
    /// Elements set to zero in training, the rest scaled up.
    Dropout {
        /// Probability of a zero, in `[0, 1)`.
        probability: f64,
    },
    /// Whole examples set to zero in training, the rest scaled up; rate set by the recipe.
    DropPath,
}

/// An axis of a shape without the batch dimension, from 0.
pub type Axis = usize;

/// Convolution over series; without bias unless asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conv1d {
    /// Channels of the output, at least 1.
    pub out_channels: usize,
    /// Window, at least 1.
    pub kernel: usize,
    /// Step, at least 1.
    pub stride: usize,
    /// Zeros on each side.
    pub padding: usize,
    /// Distance between taps, at least 1.
    pub dilation: usize,
    /// How channels are grouped.
    pub groups: Groups,
    /// Whether a learnt constant is added.
    pub bias: bool,
}

/// Convolution over images; without bias unless asked for. Pairs are `[height, width]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conv2d {
    /// Channels of the output, at least 1.
    pub out_channels: usize,
    /// Window, at least 1.
    pub kernel: [usize; 2],
    /// Step, at least 1.
    pub stride: [usize; 2],
    /// Zeros on each side.
    pub padding: [usize; 2],
    /// Distance between taps, at least 1.
    pub dilation: [usize; 2],
    /// How channels are grouped.
    pub groups: Groups,
    /// Whether a learnt constant is added.
    pub bias: bool,
}

/// How a convolution groups its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Groups {
    /// This many groups; must divide the channels of input and output.
    Count(usize),
    /// One group a channel: the output has as many channels as the input, whatever
    /// `out_channels` says.
    Depthwise,
}

macro_rules! window_setters {
    ($type:ty, $pair:ty, $make:expr) => {
        impl $type {
            /// Sets the stride.
            #[must_use]
            pub fn stride(mut self, stride: usize) -> Self {
                self.stride = $make(stride);
                self
            }

            /// Sets the padding on each side.
            #[must_use]
            pub fn padding(mut self, padding: usize) -> Self {
                self.padding = $make(padding);
                self
            }
        }
    };
}
macro_rules! convolution_setters {
    ($type:ty, $pair:ty, $make:expr) => {
        window_setters!($type, $pair, $make);
        impl $type {
            /// A convolution of stride 1 without padding, dilation, groups or bias.
            #[must_use]
            pub fn new(out_channels: usize, kernel: usize) -> Self {
                Self {
                    out_channels,
                    kernel: $make(kernel),
                    stride: $make(1),
                    padding: $make(0),
                    dilation: $make(1),
                    groups: Groups::Count(1),
                    bias: false,
                }
            }

            /// A depthwise convolution: as many channels out as in, each with a window of its own.
            #[must_use]
            pub fn depthwise(kernel: usize) -> Self {
                let mut layer = Self::new(1, kernel);
                layer.groups = Groups::Depthwise;
                layer
            }

            /// Sets the distance between taps.
            #[must_use]
            pub fn dilation(mut self, dilation: usize) -> Self {
                self.dilation = $make(dilation);
                self
            }

            /// Sets the number of groups.
            #[must_use]
            pub fn groups(mut self, groups: usize) -> Self {
                self.groups = Groups::Count(groups);
                self
            }

            /// Adds a learnt constant per channel, or leaves it out.
            #[must_use]
            pub fn bias(mut self, bias: bool) -> Self {
                self.bias = bias;
                self
            }
        }
    };
}
convolution_setters!(Conv1d, usize, |extent| extent);
convolution_setters!(Conv2d, [usize; 2], |extent| [extent, extent]);

/// Matrix product; with bias unless asked otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Linear {
    /// Features of the output, at least 1.
    pub out_features: usize,
    /// Whether a learnt constant is added.
    pub bias: bool,
}

impl Linear {
    /// A linear layer with bias.
    #[must_use]
    pub fn new(out_features: usize) -> Self {
        Self { out_features, bias: true }
    }
}

/// Batch normalisation; affine, eps 1e-5, momentum 0.1 and running statistics (PyTorch's
/// defaults) unless asked otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// Whether a learnt scale and shift follow.
    pub affine: bool,
    /// Added to the variance, positive.
    pub eps: f64,
    /// Weight of the newest batch in the running statistics, in `[0, 1]`.
    pub momentum: f64,
    /// What is used in evaluation.
    pub statistics: Statistics,
}

/// Which statistics a batch normalisation uses outside training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistics {
    /// The running averages kept in training.
    Running,
    /// Those of the batch at hand, always.
    Batch,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { affine: true, eps: 1e-5, momentum: 0.1, statistics: Statistics::Running }
    }
}

/// Layer normalisation of the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// Whether a learnt scale and shift follow.
    pub affine: bool,
    /// Added to the variance, positive.
    pub eps: f64,
}

/// Group normalisation of the first axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupNorm {
    /// Number of groups, a divisor of the channels.
    pub groups: usize,
    /// Whether a learnt scale and shift follow.
    pub affine: bool,
    /// Added to the variance, positive.
    pub eps: f64,
}

/// Element-wise functions, as PyTorch defines them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
    /// max(x, 0.01 x)
    LeakyRelu,
    /// exp(x) − 1 below zero, x above
    Elu,
    /// x Φ(x), exact
    Gelu,
    /// x σ(x)
    Silu,
    /// x relu6(x + 3) / 6
    HardSwish,
    /// relu6(x + 3) / 6
    HardSigmoid,
    /// 1 / (1 + exp(−x))
    Sigmoid,
    /// Hyperbolic tangent
    Tanh,
    /// x tanh(softplus(x))
    Mish,
}

/// Whether windows give their maximum or their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// The largest element.
    Max,
    /// The mean.
    Average {
        /// Whether zeros of the padding count as elements.
        count_padding: bool,
    },
}

/// Pooling over series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pool1d {
    /// Maximum or mean.
    pub kind: PoolKind,
    /// Window, at least 1.
    pub kernel: usize,
    /// Step, at least 1.
    pub stride: usize,
    /// Zeros on each side, at most half the window.
    pub padding: usize,
}

/// Pooling over images. Pairs are `[height, width]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pool2d {
    /// Maximum or mean.
    pub kind: PoolKind,
    /// Window, at least 1.
    pub kernel: [usize; 2],
    /// Step, at least 1.
    pub stride: [usize; 2],
    /// Zeros on each side, at most half the window.
    pub padding: [usize; 2],
}

macro_rules! pool_constructors {
    ($type:ty, $pair:ty, $make:expr) => {
        window_setters!($type, $pair, $make);
        impl $type {
            /// The maximum over windows, stride 1, no padding.
            #[must_use]
            pub fn max(kernel: usize) -> Self {
                let (stride, padding) = ($make(1), $make(0));
                Self { kind: PoolKind::Max, kernel: $make(kernel), stride, padding }
            }

            /// The mean over windows, stride 1, no padding; padding is not counted.
            #[must_use]
            pub fn average(kernel: usize) -> Self {
                let kind = PoolKind::Average { count_padding: false };
                Self { kind, ..Self::max(kernel) }
            }
        }
    };
}
pool_constructors!(Pool1d, usize, |extent| extent);
pool_constructors!(Pool2d, [usize; 2], |extent| [extent, extent]);

/// Average pooling to a fixed extent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Adaptive {
    /// The extents behind the channels, each at least 1 and at most the input's.
    pub output: Vec<usize>,
}

/// Inputs behind each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Concat {
    /// Along this axis; the others must agree.
    pub axis: Axis,
    /// Whether another order of the inputs gives the same network, because whatever reads the
    /// result learns a weight for every channel (the output of a DARTS cell). Isomorphic cells are
    /// recognised only where this is set.
    #[serde(default)]
    pub unordered: bool,
}

/// The elements `start, start + step, …` below `end` of one axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slice {
    /// Which axis.
    pub axis: Axis,
    /// First element.
    pub start: usize,
    /// One behind the last element; `None` is the axis' end.
    pub end: Option<usize>,
    /// Step, at least 1.
    pub step: usize,
}

/// Matrix product of the last two axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MatMul {
    /// Whether the second input is transposed first.
    pub transpose_second: bool,
}

/// A learnt vector per token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Embedding {
    /// Number of different tokens.
    pub vocabulary: usize,
    /// Length of a vector.
    pub features: usize,
}

impl Layer {
    /// The layer's name as the book and error messages use it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Identity => "identity",
            Self::Zero { .. } => "zero",
            Self::Conv1d(_) => "conv1d",
            Self::Conv2d(_) => "conv2d",
            Self::Linear(_) => "linear",
            Self::BatchNorm(_) => "batch_norm",
            Self::LayerNorm(_) => "layer_norm",
            Self::GroupNorm(_) => "group_norm",
            Self::Activation(_) => "activation",
            Self::Pool1d(_) => "pool1d",
            Self::Pool2d(_) => "pool2d",
            Self::AdaptiveAvgPool(_) => "adaptive_avg_pool",
            Self::GlobalAvgPool => "global_avg_pool",
            Self::Add => "add",
            Self::Mul => "mul",
            Self::Concat(_) => "concat",
            Self::Slice(_) => "slice",
            Self::Transpose { .. } => "transpose",
            Self::Scale { .. } => "scale",
            Self::Reshape { .. } => "reshape",
            Self::Flatten => "flatten",
            Self::MatMul(_) => "matmul",
            Self::Softmax { .. } => "softmax",
            Self::Embedding(_) => "embedding",
            Self::Dropout { .. } => "dropout",
            Self::DropPath => "drop_path",
        }
    }
}

impl Layer {
    /// Whether the layer has parameters or statistics of its own, so that two copies of it are two
    /// different things.
    #[must_use]
    pub fn is_learnt(&self) -> bool {
        match self {
            Self::Conv1d(_) | Self::Conv2d(_) | Self::Linear(_) | Self::Embedding(_) => true,
            Self::BatchNorm(_) => true,
            Self::LayerNorm(norm) => norm.affine,
            Self::GroupNorm(norm) => norm.affine,
            _ => false,
        }
    }

    /// The layer with this many output channels or features; layers without any are unchanged.
    #[must_use]
    pub fn with_width(mut self, width: usize) -> Self {
        match &mut self {
            Self::Conv1d(conv) => conv.out_channels = width,
            Self::Conv2d(conv) => conv.out_channels = width,
            Self::Linear(linear) => linear.out_features = width,
            Self::Embedding(embedding) => embedding.features = width,
            _ => {}
        }
        self
    }
}

/// Lets a builder take a layer's settings without naming [`Layer`].
macro_rules! into_layer {
    ($($settings:ident => $variant:ident),* $(,)?) => { $(
        impl From<$settings> for Layer {
            fn from(settings: $settings) -> Self { Self::$variant(settings) }
        }
    )* };
}
into_layer!(
    Conv1d => Conv1d, Conv2d => Conv2d, Linear => Linear, BatchNorm => BatchNorm,
    LayerNorm => LayerNorm, GroupNorm => GroupNorm, Activation => Activation, Pool1d => Pool1d,
    Pool2d => Pool2d, Adaptive => AdaptiveAvgPool, Concat => Concat, Slice => Slice,
    MatMul => MatMul, Embedding => Embedding,
);
