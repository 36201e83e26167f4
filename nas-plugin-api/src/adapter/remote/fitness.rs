//! `nas.fitness/1`

use nas_plugin_abi::{AbiResult, Bytes, FitnessModule_Ref, FitnessObject, RSlice, RVec, TD_Opaque};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::message::{self, Answer, Creation, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::fitness::{ID, Object};
use crate::adapter::{Library, maker};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Describe,
    Score { measurements: Packed<f64>, costs: Packed<f64>, details: Packed<u8> },
}

impl From<Method> for message::Method {
    fn from(method: Method) -> Self {
        Self::Fitness(method)
    }
}

impl From<Remote> for Object {
    fn from(remote: Remote) -> Self {
        Self::from_value(remote, TD_Opaque)
    }
}

impl maker::Object for Object {
    const ID: &'static str = ID;

    fn create(library: &Library, creation: &Creation) -> Result<Self, PluginError> {
        let module: FitnessModule_Ref = library.module(ID)?;
        let Creation { name, config, .. } = creation;
        receive((module.create())(name.as_str().into(), config.0.as_slice().into()))
    }
}

impl FitnessObject for Remote {
    fn describe(&self) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Describe.into())
    }

    fn score_many(
        &mut self,
        measurements: RSlice<'_, f64>,
        costs: RSlice<'_, f64>,
        details: RSlice<'_, u8>,
    ) -> AbiResult<RVec<f64>> {
        let (measurements, costs) = (Packed(measurements.to_vec()), Packed(costs.to_vec()));
        let details = Packed(details.to_vec());
        self.ask_for_numbers(Method::Score { measurements, costs, details }.into())
    }
}

pub(super) fn answer(object: &mut Object, method: Method) -> Result<Answer, PluginError> {
    match method {
        Method::Describe => receive(object.describe()).map(Answer::bytes),
        Method::Score { measurements, costs, details } => receive(object.score_many(
            measurements.0.as_slice().into(),
            costs.0.as_slice().into(),
            details.0.as_slice().into(),
        ))
        .map(Answer::numbers),
    }
}
