//! Layer and group normalisation, which need no statistics of a batch.

use nas_plugin_api::graph;
use tch::{TchError, Tensor};

use super::{Call, Module};
use crate::parameters::{Declarations, LearntIndex};

#[derive(Debug)]
pub(super) struct LayerNorm {
    scale_and_shift: Option<[LearntIndex; 2]>,
    features: i64,
    eps: f64,
}

impl LayerNorm {
    pub(super) fn new(
        norm: &graph::LayerNorm,
        name: &str,
        features: i64,
        declare: &mut Declarations,
    ) -> Self {
        let scale_and_shift = norm.affine.then(|| declare.scale_and_shift(name, features));
        Self { scale_and_shift, features, eps: norm.eps }
    }
}

impl Module for LayerNorm {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let learnt = |which: usize| {
            self.scale_and_shift.map(|indices| &call.pass.learnt[indices[which]].tensor)
        };
        call.input()?.f_layer_norm(self.features, learnt(0), learnt(1), self.eps, true)
    }
}

#[derive(Debug)]
pub(super) struct GroupNorm {
    scale_and_shift: Option<[LearntIndex; 2]>,
    groups: i64,
    eps: f64,
}

impl GroupNorm {
    pub(super) fn new(
        norm: &graph::GroupNorm,
        name: &str,
        channels: i64,
        declare: &mut Declarations,
    ) -> Self {
        let scale_and_shift = norm.affine.then(|| declare.scale_and_shift(name, channels));
        Self { scale_and_shift, groups: norm.groups as i64, eps: norm.eps }
    }
}

impl Module for GroupNorm {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let learnt = |which: usize| {
            self.scale_and_shift.map(|indices| &call.pass.learnt[indices[which]].tensor)
        };
        call.input()?.f_group_norm(self.groups, learnt(0), learnt(1), self.eps, true)
    }
}
