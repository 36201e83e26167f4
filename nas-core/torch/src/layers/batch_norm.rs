//! Batch normalisation of the channels.

use nas_plugin_api::graph::{self, Statistics};
use tch::{TchError, Tensor};

use super::{Call, Module};
use crate::parameters::{Declarations, Initial, LearntIndex, StatisticIndex};

#[derive(Debug)]
pub(super) struct BatchNorm {
    scale_and_shift: Option<[LearntIndex; 2]>,
    /// Running mean and variance; absent where the batch's own are always used.
    running: Option<[StatisticIndex; 2]>,
    momentum: f64,
    eps: f64,
}

impl BatchNorm {
    pub(super) fn new(
        norm: &graph::BatchNorm,
        name: &str,
        channels: i64,
        declare: &mut Declarations,
    ) -> Self {
        Self {
            scale_and_shift: norm.affine.then(|| declare.scale_and_shift(name, channels)),
            running: (norm.statistics == Statistics::Running).then(|| {
                [
                    declare.statistic(format!("{name}.running_mean"), channels, Initial::Zeros),
                    declare.statistic(format!("{name}.running_var"), channels, Initial::Ones),
                ]
            }),
            momentum: norm.momentum,
            eps: norm.eps,
        }
    }
}

impl Module for BatchNorm {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let learnt = |which: usize| {
            self.scale_and_shift.map(|indices| &call.pass.learnt[indices[which]].tensor)
        };
        let running =
            |which: usize| self.running.map(|indices| &call.pass.statistics[indices[which]].tensor);
        call.input()?.f_batch_norm(
            learnt(0),
            learnt(1),
            running(0),
            running(1),
            call.pass.training || self.running.is_none(),
            self.momentum,
            self.eps,
            true,
        )
    }
}
