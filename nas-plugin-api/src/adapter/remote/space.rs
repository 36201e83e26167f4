//! `nas.space/1`

use nas_plugin_abi::{AbiResult, Bytes, RSlice, SpaceModule_Ref, SpaceObject, TD_Opaque};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::message::{self, Answer, Creation, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::space::{ID, Object};
use crate::adapter::{Library, maker};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Template(Packed<u8>),
}

impl From<Method> for message::Method {
    fn from(method: Method) -> Self {
        Self::Space(method)
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
        let module: SpaceModule_Ref = library.module(ID)?;
        let Creation { name, config, .. } = creation;
        receive((module.create())(name.as_str().into(), config.0.as_slice().into()))
    }
}

impl SpaceObject for Remote {
    fn template(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Template(Packed(request.to_vec())).into())
    }
}

pub(super) fn answer(object: &Object, method: Method) -> Result<Answer, PluginError> {
    let Method::Template(request) = method;
    receive(object.template(request.0.as_slice().into())).map(Answer::bytes)
}
