//! Pooling over windows, to a fixed extent, and over everything.

use std::cell::OnceCell;

use nas_plugin_api::graph::{self, PoolKind, Shape};
use tch::{Device, Kind, TchError, Tensor};

use super::convolution::pair;
use super::{Call, Module};

#[derive(Debug)]
pub(super) struct Pool1d {
    kind: PoolKind,
    kernel: i64,
    stride: i64,
    padding: i64,
}

impl Pool1d {
    pub(super) fn new(pool: &graph::Pool1d) -> Self {
        let [kernel, stride] = pair([pool.kernel, pool.stride]);
        Self { kind: pool.kind, kernel, stride, padding: pool.padding as i64 }
    }
}

impl Module for Pool1d {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let x = call.input()?;
        match self.kind {
            PoolKind::Max => x.f_max_pool1d(self.kernel, self.stride, self.padding, 1, false),
            PoolKind::Average { count_padding } => {
                x.f_avg_pool1d(self.kernel, self.stride, self.padding, false, count_padding)
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Pool2d {
    kind: PoolKind,
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    /// Made in the first pass that needs it.
    as_convolution: OnceCell<AverageAsConvolution>,
}

impl Pool2d {
    pub(super) fn new(pool: &graph::Pool2d) -> Self {
        let (kernel, stride) = (pair(pool.kernel), pair(pool.stride));
        let (padding, as_convolution) = (pair(pool.padding), OnceCell::new());
        Self { kind: pool.kind, kernel, stride, padding, as_convolution }
    }

    /// Whether libtorch's own average is the slow way: channels innermost on a processor, with
    /// windows that overlap much.
    ///
    /// Measured for 64 feature maps of 16×32×32, forward and backward on one thread: 3×3 with
    /// stride 1 takes 2.9 ms as an average and 0.9 ms as a convolution, with stride 2 it is 0.8
    /// and 0.4 ms, and 2×2 with stride 2 gains nothing.
    fn is_faster_as_convolution(&self, call: &Call<'_>, x: &Tensor) -> bool {
        call.pass.channels_last
            && x.device() == Device::Cpu
            && (0..2).all(|axis| self.stride[axis] <= 2 && self.stride[axis] < self.kernel[axis])
    }
}

impl Module for Pool2d {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let x = call.input()?;
        let (kernel, stride, padding) = (self.kernel, self.stride, self.padding);
        match self.kind {
            PoolKind::Max => x.f_max_pool2d(kernel, stride, padding, 1, false),
            PoolKind::Average { count_padding } if self.is_faster_as_convolution(&call, x) => {
                if self.as_convolution.get().is_none() {
                    let made = AverageAsConvolution::new(self, count_padding, x)?;
                    let _ = self.as_convolution.set(made);
                }
                let made = self.as_convolution.get();
                made.ok_or_else(|| TchError::Shape("no kernel".into()))?.forward(self, x)
            }
            PoolKind::Average { count_padding } => {
                x.f_avg_pool2d(kernel, stride, padding, false, count_padding, None)
            }
        }
    }
}

/// Average pooling as a depthwise convolution with constant weights.
#[derive(Debug)]
struct AverageAsConvolution {
    weight: Tensor,
    /// One over the number of elements in each window; absent where all windows have as many, and
    /// the weights contain it.
    reciprocals: Option<Tensor>,
}

impl AverageAsConvolution {
    fn new(pool: &Pool2d, count_padding: bool, x: &Tensor) -> Result<Self, TchError> {
        let _no_grad = tch::no_grad_guard();
        let (place, size) = ((x.kind(), x.device()), x.size());
        let [height, width] = pool.kernel;
        let ones = Tensor::f_ones([size[1], 1, height, width], place)?;
        if count_padding || pool.padding == [0, 0] {
            let weight = ones.f_div_scalar((height * width) as f64)?;
            return Ok(Self { weight, reciprocals: None });
        }
        let inside = Tensor::f_ones([1, 1, size[2], size[3]], place)?;
        let one_channel = ones.f_narrow(0, 0, 1)?;
        let counts = convolve(&inside, &one_channel, pool)?;
        Ok(Self { weight: ones, reciprocals: Some(counts.f_reciprocal()?) })
    }

    fn forward(&self, pool: &Pool2d, x: &Tensor) -> Result<Tensor, TchError> {
        let mut sums = convolve(x, &self.weight, pool)?;
        match &self.reciprocals {
            Some(reciprocals) => sums.f_mul_(reciprocals),
            None => Ok(sums),
        }
    }
}

fn convolve(x: &Tensor, weight: &Tensor, pool: &Pool2d) -> Result<Tensor, TchError> {
    let groups = weight.size()[0];
    x.f_conv2d(weight, None::<&Tensor>, pool.stride, pool.padding, 1, groups)
}

#[derive(Debug)]
pub(super) struct AdaptiveAverage {
    output: Vec<i64>,
}

impl AdaptiveAverage {
    pub(super) fn new(output: &Shape) -> Self {
        Self { output: output.spatial().iter().map(|&extent| extent as i64).collect() }
    }
}

impl Module for AdaptiveAverage {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let (x, output) = (call.input()?, self.output.as_slice());
        match output.len() {
            1 => x.f_adaptive_avg_pool1d(output),
            2 => x.f_adaptive_avg_pool2d(output),
            _ => x.f_adaptive_avg_pool3d(output),
        }
    }
}

#[derive(Debug)]
pub(super) struct GlobalAverage;

impl Module for GlobalAverage {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let x = call.input()?;
        let behind_channels: Vec<i64> = (2..x.dim() as i64).collect();
        x.f_mean_dim(behind_channels, false, None::<Kind>)
    }
}
