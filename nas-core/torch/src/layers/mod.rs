//! What each layer computes: a file per layer family, and the list of them in [`build`].

mod activation;
mod convolution;
mod dropout;
mod embedding;
mod linear;
mod merged_convolution;
mod normalization;
mod pool;
mod product;
mod rearrange;
mod weighted_sum;
mod width_mask;

use std::fmt::Debug;

use nas_plugin_api::graph::{Layer, Shape};
use tch::{TchError, Tensor};

use crate::mixture::Mixed;
use crate::network::Norms;
use crate::parameters::{Declarations, NamedTensor};
use crate::program::{Node, Norm, Op, Term};

/// A built layer.
pub(crate) trait Module: Debug + Send {
    /// Computes the layer.
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError>;

    /// Of the values of a pass, what a rectifier cuts off below 0; it may have been cut off already.
    fn rectified<'a>(&self, _values: &[&'a Tensor]) -> Option<&'a Tensor> {
        None
    }

    /// Multiply-adds of one example, given the values of a pass over one example: the inputs and,
    /// last, the result. Zero for everything but convolutions and matrix products.
    fn multiply_adds(&self, _learnt: &[NamedTensor], _values: &[&Tensor]) -> u64 {
        0
    }
}

/// What a layer is given.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The inputs that are read.
    pub(crate) inputs: &'a [&'a Tensor],
    /// Their positions among the node's inputs; some are left out in a supernet.
    pub(crate) active: &'a [usize],
    /// Position of a read input whose memory may take the result.
    pub(crate) overwrite: Option<usize>,
    pub(crate) pass: &'a Pass<'a>,
}

/// What all layers of one pass share.
pub(crate) struct Pass<'a> {
    pub(crate) learnt: &'a [NamedTensor],
    pub(crate) statistics: &'a [NamedTensor],
    pub(crate) training: bool,
    pub(crate) norms: Norms,
    pub(crate) channels_last: bool,
    pub(crate) drop_path: f64,
    pub(crate) batch: i64,
    pub(crate) images: &'a Tensor,
    /// In a supernet.
    pub(crate) mixture: Option<&'a Mixed>,
}

impl<'a> Call<'a> {
    /// The first input.
    fn input(&self) -> Result<&'a Tensor, TchError> {
        self.inputs.first().copied().ok_or_else(|| TchError::Shape("no input".into()))
    }

    /// The first two inputs.
    fn two(&self) -> Result<[&'a Tensor; 2], TchError> {
        match self.inputs {
            [first, second, ..] => Ok([first, second]),
            _ => Err(TchError::Shape("two inputs expected".into())),
        }
    }
}

/// Builds one node's operation and declares its parameters under the node's name.
pub(crate) fn build(node: &Node, inputs: &[&Shape], declare: &mut Declarations) -> Box<dyn Module> {
    let channels = inputs.first().map_or(1, |shape| shape.channels()) as i64;
    match &node.op {
        Op::Layer(layer) => build_layer(&node.name, layer, inputs, &node.shape, declare),
        Op::Sum { terms } => Box::new(weighted_sum::Sum::new(terms, &node.shape)),
        Op::NormalizedSum { norms, terms, relu } => {
            Box::new(weighted_sum::NormalizedSum::new(norms, terms, *relu, &node.shape, declare))
        }
        Op::MergedConvolution { terms } => Box::new(merged_convolution::MergedConvolution::new(
            terms,
            channels,
            &node.shape,
            declare,
        )),
        Op::Subsample { start, step } => Box::new(rearrange::Subsample {
            start: start.map(|extent| extent as i64),
            step: step.map(|extent| extent as i64),
        }),
        Op::WidthMask { paths, widths } => {
            Box::new(width_mask::WidthMask { paths: paths.clone(), widths: widths.clone() })
        }
    }
}

fn build_layer(
    name: &str,
    layer: &Layer,
    inputs: &[&Shape],
    output: &Shape,
    declare: &mut Declarations,
) -> Box<dyn Module> {
    let input = inputs.first().copied();
    let channels = input.map_or(1, Shape::channels) as i64;
    let features = input.and_then(|shape| shape.0.last()).map_or(1, |&extent| extent as i64);
    match layer {
        Layer::Input { .. } | Layer::Identity => Box::new(rearrange::Identity),
        Layer::Zero { shape } => Box::new(rearrange::Zero::new(shape)),
        Layer::Conv1d(conv) => {
            Box::new(convolution::Convolution1d::new(conv, name, channels, declare))
        }
        Layer::Conv2d(conv) => {
            Box::new(convolution::Convolution2d::new(conv, name, channels, declare))
        }
        Layer::Linear(linear) => Box::new(linear::Linear::new(linear, name, features, declare)),
        Layer::BatchNorm(norm) => {
            let norm = Norm { name: name.to_owned(), layer: norm.clone() };
            let terms = [Term::default()];
            Box::new(weighted_sum::NormalizedSum::new(&[norm], &terms, false, output, declare))
        }
        Layer::LayerNorm(norm) => {
            Box::new(normalization::LayerNorm::new(norm, name, features, declare))
        }
        Layer::GroupNorm(norm) => {
            Box::new(normalization::GroupNorm::new(norm, name, channels, declare))
        }
        Layer::Activation(function) => Box::new(activation::Activation(*function)),
        Layer::Pool1d(pool) => Box::new(pool::Pool1d::new(pool)),
        Layer::Pool2d(pool) => Box::new(pool::Pool2d::new(pool)),
        Layer::AdaptiveAvgPool(_) => Box::new(pool::AdaptiveAverage::new(output)),
        Layer::GlobalAvgPool => Box::new(pool::GlobalAverage),
        Layer::Add => {
            Box::new(weighted_sum::Sum::new(&vec![Term::default(); inputs.len()], output))
        }
        Layer::Mul => Box::new(product::Product),
        Layer::Concat(concat) => Box::new(rearrange::Concat { axis: along(concat.axis) }),
        Layer::Slice(slice) => Box::new(rearrange::Slice::new(slice)),
        Layer::Transpose { first, second } => {
            Box::new(rearrange::Transpose { first: along(*first), second: along(*second) })
        }
        Layer::Scale { factor } => Box::new(product::Scale { factor: *factor }),
        Layer::Reshape { .. } | Layer::Flatten => Box::new(rearrange::Reshape::new(output)),
        Layer::MatMul(product) => {
            Box::new(linear::MatMul { transpose_second: product.transpose_second })
        }
        Layer::Softmax { axis } => Box::new(activation::Softmax { axis: along(*axis) }),
        Layer::Embedding(embedding) => {
            Box::new(embedding::Embedding::new(embedding, name, declare))
        }
        Layer::Dropout { probability } => Box::new(dropout::Dropout { probability: *probability }),
        Layer::DropPath => Box::new(dropout::DropPath),
        other => Box::new(Unknown { layer: other.name() }),
    }
}

/// A layer that this build doesn't know: it fails when it is computed, with the node's name.
#[derive(Debug)]
struct Unknown {
    layer: &'static str,
}

impl Module for Unknown {
    fn forward(&self, _call: Call<'_>) -> Result<Tensor, TchError> {
        Err(TchError::Kind(format!("layer `{}` is unknown to this worker", self.layer)))
    }
}

/// A tensor's size for a batch of feature maps of this shape.
pub(crate) fn with_batch(batch: i64, shape: &Shape) -> Vec<i64> {
    std::iter::once(batch).chain(shape.0.iter().map(|&extent| extent as i64)).collect()
}

/// A tensor's dimension for an axis without the batch.
fn along(axis: usize) -> i64 {
    axis as i64 + 1
}
