//! `nas.operations/1`

use nas_plugin_abi::{AbiResult, Bytes, OperationsModule_Ref, OperationsObject, RSlice, TD_Opaque};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::message::{self, Answer, Creation, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::operations::{ID, Object};
use crate::adapter::{Library, maker};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Operations,
    Build(Packed<u8>),
}

impl From<Method> for message::Method {
    fn from(method: Method) -> Self {
        Self::Operations(method)
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
        let module: OperationsModule_Ref = library.module(ID)?;
        let Creation { name, config, .. } = creation;
        receive((module.create())(name.as_str().into(), config.0.as_slice().into()))
    }
}

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
