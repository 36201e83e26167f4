//! `nas.benchmark/1`

use nas_plugin_abi::{AbiResult, BenchmarkModule_Ref, BenchmarkObject, Bytes, RSlice, RVec};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::component::component;
use super::message::{Answer, Packed};
use crate::adapter::benchmark::{ID, Object};
use crate::adapter::cbor::receive;
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Begin(Packed<u8>),
    Evaluate { genotypes: Packed<u16>, fidelity: Packed<u8>, seeds: Packed<u64> },
}

component!(Benchmark, BenchmarkModule_Ref);

impl BenchmarkObject for Remote {
    fn begin(&mut self, template: RSlice<'_, u8>) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Begin(Packed(template.to_vec())).into())
    }

    fn evaluate_many(
        &mut self,
        genotypes: RSlice<'_, u16>,
        fidelity: RSlice<'_, u8>,
        seeds: RSlice<'_, u64>,
    ) -> AbiResult<RVec<f64>> {
        let (genotypes, fidelity) = (Packed(genotypes.to_vec()), Packed(fidelity.to_vec()));
        let seeds = Packed(seeds.to_vec());
        self.ask_for_numbers(Method::Evaluate { genotypes, fidelity, seeds }.into())
    }
}

pub(super) fn answer(object: &mut Object, method: Method) -> Result<Answer, PluginError> {
    match method {
        Method::Begin(template) => {
            receive(object.begin(template.0.as_slice().into())).map(Answer::bytes)
        }
        Method::Evaluate { genotypes, fidelity, seeds } => receive(object.evaluate_many(
            genotypes.0.as_slice().into(),
            fidelity.0.as_slice().into(),
            seeds.0.as_slice().into(),
        ))
        .map(Answer::numbers),
    }
}
