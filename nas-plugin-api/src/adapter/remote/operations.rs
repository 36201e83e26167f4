//! `nas.operations/1`

use nas_plugin_abi::{AbiResult, Bytes, OperationsModule_Ref, OperationsObject, RSlice};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::component::component;
use super::message::{Answer, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::operations::{ID, Object};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Operations,
    Build(Packed<u8>),
}

component!(Operations, OperationsModule_Ref);

impl OperationsObject for Remote {
    fn operations(&self) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Operations.into())
    }

    fn build(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Build(Packed(request.to_vec())).into())
    }
}

pub(super) fn answer(object: &Object, method: Method) -> Result<Answer, PluginError> {
    let answer = match method {
        Method::Operations => object.operations(),
        Method::Build(request) => object.build(request.0.as_slice().into()),
    };
    receive(answer).map(Answer::bytes)
}
