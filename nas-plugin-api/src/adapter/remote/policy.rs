//! `nas.policy/1`

use nas_plugin_abi::{AbiResult, Bytes, PolicyModule_Ref, PolicyObject, RSlice, TD_Opaque};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::message::{self, Answer, Creation, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::policy::{ID, Object};
use crate::adapter::{Library, maker};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Describe,
    Judge(Packed<u8>),
}

impl From<Method> for message::Method {
    fn from(method: Method) -> Self {
        Self::Policy(method)
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
        let module: PolicyModule_Ref = library.module(ID)?;
        let Creation { name, config, .. } = creation;
        receive((module.create())(name.as_str().into(), config.0.as_slice().into()))
    }
}

impl PolicyObject for Remote {
    fn describe(&self) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Describe.into())
    }

    fn judge_many(&mut self, questions: RSlice<'_, u8>) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Judge(Packed(questions.to_vec())).into())
    }
}

pub(super) fn answer(object: &mut Object, method: Method) -> Result<Answer, PluginError> {
    let answer = match method {
        Method::Describe => object.describe(),
        Method::Judge(questions) => object.judge_many(questions.0.as_slice().into()),
    };
    receive(answer).map(Answer::bytes)
}
