//! `nas.policy/1`

use nas_plugin_abi::{AbiResult, Bytes, PolicyModule_Ref, PolicyObject, RSlice};
use serde::{Deserialize, Serialize};

use super::Remote;
use super::component::component;
use super::message::{Answer, Packed};
use crate::adapter::cbor::receive;
use crate::adapter::policy::{ID, Object};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Describe,
    Judge(Packed<u8>),
}

component!(Policy, PolicyModule_Ref);

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
