//! `nas.space/1`

use nas_plugin_abi::{AbiResult, Bytes, RSlice, SpaceModule_Ref, SpaceObject};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::component::component;
use super::message::{Answer, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::space::{ID, Object};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Template(Packed<u8>),
}

component!(Space, SpaceModule_Ref);

impl SpaceObject for Remote {
    fn template(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Template(Packed(request.to_vec())).into())
    }
}

pub(super) fn answer(object: &Object, method: Method) -> Result<Answer, PluginError> {
    let Method::Template(request) = method;
    receive(object.template(request.0.as_slice().into())).map(Answer::bytes)
}
