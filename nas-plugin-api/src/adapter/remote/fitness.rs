//! `nas.fitness/1`

use nas_plugin_abi::{AbiResult, Bytes, FitnessModule_Ref, FitnessObject, RSlice, RVec};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::component::component;
use super::message::{Answer, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::fitness::{ID, Object};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Describe,
    Score { measurements: Packed<f64>, costs: Packed<f64>, details: Packed<u8> },
}

component!(Fitness, FitnessModule_Ref);

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
