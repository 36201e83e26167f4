//! `nas.one_shot_strategy/1`, as far as it is called away from the supernet: its plan.

use nas_plugin_abi::{
    AbiResult, Bytes, OneShotStrategyModule_Ref, OneShotStrategyObject, RSlice, RVec, StepCommand,
    StepMixture, StepReport,
};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::component::component;
use super::message::Answer;
use crate::adapter::cbor::{receive, send};
use crate::adapter::one_shot_strategy::{ID, Object};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Plan,
}

component!(OneShotStrategy, OneShotStrategyModule_Ref, context);

impl OneShotStrategyObject for Remote {
    fn plan(&mut self) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Plan.into())
    }

    fn next(&mut self, _: StepReport<'_>) -> AbiResult<StepCommand> {
        not_here()
    }

    fn save(&self) -> AbiResult<Bytes> {
        not_here()
    }

    fn restore(&mut self, _: RSlice<'_, u8>) -> AbiResult<()> {
        not_here()
    }

    fn alpha(&self) -> AbiResult<RVec<f64>> {
        not_here()
    }

    fn relax_at(&self, _: RSlice<'_, f64>) -> AbiResult<StepMixture> {
        not_here()
    }

    fn pull_back_at(&self, _: RSlice<'_, f64>, _: RSlice<'_, f64>) -> AbiResult<RVec<f64>> {
        not_here()
    }
}

/// A step is called a thousand times a second, beside a network that is computed.
fn not_here<T>() -> AbiResult<T> {
    let text = "take a step: a one-shot strategy does so in the worker that has the supernet";
    send(Err(PluginError::unsupported(text)))
}

pub(super) fn answer(object: &mut Object, method: Method) -> Result<Answer, PluginError> {
    let Method::Plan = method;
    receive(object.plan()).map(Answer::bytes)
}
