//! One convolution in place of several that read the same input and are summed.

use nas_plugin_api::graph::Shape;
use tch::{TchError, Tensor};

use super::convolution::pair;
use super::weighted_sum::zeros;
use super::{Call, Module};
use crate::parameters::{Declarations, LearntIndex, NamedTensor};
use crate::program::{MergedTerm, Term};

/// The convolutions, each with the place of its weight in the merged one's.
#[derive(Debug)]
pub(super) struct MergedConvolution {
    parts: Vec<Part>,
    /// Height and width of the merged weight.
    extent: [i64; 2],
    shape: Shape,
}

#[derive(Debug)]
struct Part {
    term: Term,
    /// Absent for an identity.
    convolution: Option<Learnt>,
}

#[derive(Debug)]
struct Learnt {
    weight: LearntIndex,
    bias: Option<LearntIndex>,
    kernel: [i64; 2],
}

impl MergedConvolution {
    pub(super) fn new(
        terms: &[MergedTerm],
        channels: i64,
        shape: &Shape,
        declare: &mut Declarations,
    ) -> Self {
        let mut extent = [1, 1];
        let parts = terms
            .iter()
            .map(|MergedTerm { name, convolution, term }| {
                let convolution = convolution.as_ref().map(|convolution| {
                    let kernel = pair(convolution.kernel);
                    extent = [extent[0].max(kernel[0]), extent[1].max(kernel[1])];
                    let size = [convolution.out_channels as i64, channels, kernel[0], kernel[1]];
                    let (weight, bias) = declare.weight_and_bias(name, &size, convolution.bias);
                    Learnt { weight, bias, kernel }
                });
                Part { term: term.clone(), convolution }
            })
            .collect();
        Self { parts, extent, shape: shape.clone() }
    }
}

impl Module for MergedConvolution {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let pass = call.pass;
        let is_active = |part: &&Part| {
            let skipped = |&path: &usize| pass.mixture.is_some_and(|m| m.skips(path));
            !part.term.paths.iter().any(skipped)
        };
        let parts: Vec<&Part> = self.parts.iter().filter(is_active).collect();
        if call.inputs.is_empty() || parts.is_empty() {
            return zeros(&self.shape, pass);
        }
        let x = call.input()?;
        let paths = parts.iter().map(|part| part.term.paths.as_slice());
        let weights = match pass.mixture {
            Some(mixture) => {
                mixture.products(paths)?.f_to_kind(x.kind())?.f_to_device(x.device())?
            }
            None => Tensor::f_ones([parts.len() as i64], (x.kind(), x.device()))?,
        };
        let [height, width] = self.extent;
        let (mut kernel, mut bias): (Option<Tensor>, Option<Tensor>) = (None, None);
        for (part, weight) in parts.iter().zip(0..) {
            let weight = weights.f_select(0, weight)?;
            let own = match &part.convolution {
                Some(learnt) => {
                    let [rows, columns] =
                        [(height - learnt.kernel[0]) / 2, (width - learnt.kernel[1]) / 2];
                    if let Some(own) = learnt.bias {
                        let own = pass.learnt[own].tensor.f_mul(&weight)?;
                        bias = Some(bias.map_or(Ok(own.shallow_clone()), |sum| sum.f_add(&own))?);
                    }
                    let own = pass.learnt[learnt.weight].tensor.f_mul(&weight)?;
                    match (rows, columns) {
                        (0, 0) => own,
                        _ => own.f_constant_pad_nd([columns, columns, rows, rows])?,
                    }
                }
                None => {
                    let channels = x.size()[1];
                    let own = Tensor::f_eye(channels, (x.kind(), x.device()))?.f_mul(&weight)?;
                    let (rows, columns) = (height / 2, width / 2);
                    own.f_reshape([channels, channels, 1, 1])?
                        .f_constant_pad_nd([columns, columns, rows, rows])?
                }
            };
            kernel = Some(kernel.map_or(Ok(own.shallow_clone()), |sum| sum.f_add(&own))?);
        }
        let kernel = kernel.ok_or_else(|| TchError::Shape("no convolution".into()))?;
        x.f_conv2d(&kernel, bias.as_ref(), 1, [height / 2, width / 2], 1, 1)
    }

    fn multiply_adds(&self, learnt: &[NamedTensor], values: &[&Tensor]) -> u64 {
        let places: i64 = values.last().map_or(0, |result| result.size()[2..].iter().product());
        let weights = self.parts.iter().filter_map(|part| part.convolution.as_ref());
        weights.map(|own| learnt[own.weight].tensor.numel() as u64 * places as u64).sum()
    }
}
