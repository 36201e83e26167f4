//! Pooling over windows, to a fixed extent, and over everything.

use nas_plugin_api::graph::{self, PoolKind, Shape};
use tch::{Kind, TchError, Tensor};

use super::convolution::pair;
use super::{Call, Module};
use crate::kernels;

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
}

impl Pool2d {
    pub(super) fn new(pool: &graph::Pool2d) -> Self {
        let [kernel, stride, padding] = [pool.kernel, pool.stride, pool.padding].map(pair);
        Self { kind: pool.kind, kernel, stride, padding }
    }

    /// The stride of a pool that has kernels of its own.
    fn fast_stride(&self, call: &Call<'_>) -> Option<i64> {
        let is_3x3 = self.kernel == [3, 3] && self.padding == [1, 1];
        let [height, width] = self.stride;
        (call.pass.channels_last && is_3x3 && height == width).then_some(height)
    }

    /// Whether it takes 2×2 windows side by side, for which there are kernels too.
    fn is_halving(&self, call: &Call<'_>) -> bool {
        call.pass.channels_last
            && self.kernel == [2, 2]
            && self.stride == [2, 2]
            && self.padding == [0, 0]
    }
}

impl Module for Pool2d {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let x = call.input()?;
        let (kernel, stride, padding) = (self.kernel, self.stride, self.padding);
        match (self.kind, self.fast_stride(&call)) {
            (PoolKind::Max, Some(stride)) => kernels::max_pool(x, stride),
            (PoolKind::Max, None) => x.f_max_pool2d(kernel, stride, padding, 1, false),
            (PoolKind::Average { count_padding: false }, Some(stride)) => {
                kernels::average_pool(x, stride)
            }
            (PoolKind::Average { .. }, None) if self.is_halving(&call) => {
                kernels::average_pool_2x2(x)
            }
            (PoolKind::Average { count_padding }, _) => {
                x.f_avg_pool2d(kernel, stride, padding, false, count_padding, None)
            }
        }
    }
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
