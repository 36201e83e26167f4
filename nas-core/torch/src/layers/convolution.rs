//! Convolutions over series and images.

use nas_plugin_api::graph::{Conv1d, Conv2d, Groups};
use tch::{TchError, Tensor};

use super::{Call, Module};
use crate::kernels;
use crate::parameters::{Declarations, LearntIndex, NamedTensor};

#[derive(Debug)]
pub(super) struct Convolution1d {
    weight: LearntIndex,
    bias: Option<LearntIndex>,
    stride: i64,
    padding: i64,
    dilation: i64,
    groups: i64,
}

impl Convolution1d {
    pub(super) fn new(
        conv: &Conv1d,
        name: &str,
        channels: i64,
        declare: &mut Declarations,
    ) -> Self {
        let (groups, out_channels) = grouping(conv.groups, channels, conv.out_channels);
        let size = [out_channels, channels / groups, conv.kernel as i64];
        let (weight, bias) = declare.weight_and_bias(name, &size, conv.bias);
        let (stride, padding) = (conv.stride as i64, conv.padding as i64);
        Self { weight, bias, stride, padding, dilation: conv.dilation as i64, groups }
    }
}

impl Module for Convolution1d {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let learnt = call.pass.learnt;
        call.input()?.f_conv1d(
            &learnt[self.weight].tensor,
            self.bias.map(|bias| &learnt[bias].tensor),
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )
    }

    fn multiply_adds(&self, learnt: &[NamedTensor], values: &[&Tensor]) -> u64 {
        multiply_adds(&learnt[self.weight].tensor, values)
    }
}

#[derive(Debug)]
pub(super) struct Convolution2d {
    weight: LearntIndex,
    bias: Option<LearntIndex>,
    stride: [i64; 2],
    padding: [i64; 2],
    dilation: [i64; 2],
    groups: i64,
    form: Form,
}

/// What a kernel of ours may compute; none of them adds a bias.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Square and depthwise.
    Depthwise {
        stride: i64,
        padding: i64,
        dilation: i64,
    },
    /// All channels with all, 3×3, stride 1, padding 1.
    Dense3x3,
    Other,
}

impl Convolution2d {
    pub(super) fn new(
        conv: &Conv2d,
        name: &str,
        channels: i64,
        declare: &mut Declarations,
    ) -> Self {
        let (groups, out_channels) = grouping(conv.groups, channels, conv.out_channels);
        let [height, width] = pair(conv.kernel);
        let size = [out_channels, channels / groups, height, width];
        let (weight, bias) = declare.weight_and_bias(name, &size, conv.bias);
        let [stride, padding, dilation] = [conv.stride, conv.padding, conv.dilation].map(pair);
        let is_square = [[height, width], stride, padding, dilation].iter().all(|e| e[0] == e[1]);
        let is_depthwise = groups == channels && out_channels == channels && groups > 1;
        let form = match [height, stride[0], padding[0], dilation[0]] {
            _ if !is_square || conv.bias => Form::Other,
            [3, 1, 1, 1] if groups == 1 => Form::Dense3x3,
            [_, stride, padding, dilation] if is_depthwise => {
                Form::Depthwise { stride, padding, dilation }
            }
            _ => Form::Other,
        };
        Self { weight, bias, stride, padding, dilation, groups, form }
    }
}

impl Module for Convolution2d {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let (x, weight) = (call.input()?, &call.pass.learnt[self.weight].tensor);
        match self.form {
            Form::Depthwise { stride, padding, dilation } if call.pass.channels_last => {
                kernels::depthwise(x, weight, stride, padding, dilation)
            }
            Form::Dense3x3 if call.pass.channels_last => kernels::convolution_3x3(x, weight),
            _ => x.f_conv2d(
                weight,
                self.bias.map(|bias| &call.pass.learnt[bias].tensor),
                self.stride,
                self.padding,
                self.dilation,
                self.groups,
            ),
        }
    }

    fn multiply_adds(&self, learnt: &[NamedTensor], values: &[&Tensor]) -> u64 {
        multiply_adds(&learnt[self.weight].tensor, values)
    }
}

pub(super) fn pair(extents: [usize; 2]) -> [i64; 2] {
    extents.map(|extent| extent as i64)
}

/// Number of groups and of output channels.
fn grouping(groups: Groups, channels: i64, out_channels: usize) -> (i64, i64) {
    match groups {
        Groups::Count(groups) => (groups as i64, out_channels as i64),
        Groups::Depthwise => (channels, channels),
    }
}

/// Every weight is used once at every place of its output channel.
fn multiply_adds(weight: &Tensor, values: &[&Tensor]) -> u64 {
    let places: i64 = values.last().map_or(0, |result| result.size()[2..].iter().product());
    weight.numel() as u64 * places as u64
}
