//! Layers that compute nothing: they hand on, cut, join and reorder.

use nas_plugin_api::graph::{self, Shape};
use tch::{TchError, Tensor};

use super::{Call, Module, along, with_batch};

#[derive(Debug)]
pub(super) struct Identity;

impl Module for Identity {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        Ok(call.input()?.shallow_clone())
    }
}

/// Zeros that something other than a sum reads; sums leave theirs out.
#[derive(Debug)]
pub(super) struct Zero {
    shape: Shape,
}

impl Zero {
    pub(super) fn new(shape: &Shape) -> Self {
        Self { shape: shape.clone() }
    }
}

impl Module for Zero {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let images = call.pass.images;
        let size = with_batch(call.pass.batch, &self.shape);
        Tensor::f_zeros(size, (images.kind(), images.device()))
    }
}

#[derive(Debug)]
pub(super) struct Concat {
    pub(super) axis: i64,
}

impl Module for Concat {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        Tensor::f_cat(call.inputs, self.axis)
    }
}

#[derive(Debug)]
pub(super) struct Slice {
    axis: i64,
    start: i64,
    end: Option<i64>,
    step: i64,
}

impl Slice {
    pub(super) fn new(slice: &graph::Slice) -> Self {
        Self {
            axis: along(slice.axis),
            start: slice.start as i64,
            end: slice.end.map(|end| end as i64),
            step: slice.step as i64,
        }
    }
}

impl Module for Slice {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        call.input()?.f_slice(self.axis, self.start, self.end, self.step)
    }
}

/// Every so-manieth row and column, in memory of its own: it is read by convolutions.
#[derive(Debug)]
pub(super) struct Subsample {
    pub(super) start: [i64; 2],
    pub(super) step: [i64; 2],
}

impl Module for Subsample {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let rows = call.input()?.f_slice(2, self.start[0], None, self.step[0])?;
        let pixels = rows.f_slice(3, self.start[1], None, self.step[1])?;
        match call.pass.channels_last {
            true => pixels.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2]),
            false => pixels.f_contiguous(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Transpose {
    pub(super) first: i64,
    pub(super) second: i64,
}

impl Module for Transpose {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        call.input()?.f_transpose(self.first, self.second)
    }
}

/// The same elements in the order of `[channels, height, width]`, whatever the memory layout.
#[derive(Debug)]
pub(super) struct Reshape {
    shape: Shape,
}

impl Reshape {
    pub(super) fn new(shape: &Shape) -> Self {
        Self { shape: shape.clone() }
    }
}

impl Module for Reshape {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        call.input()?.f_reshape(with_batch(call.pass.batch, &self.shape))
    }
}
