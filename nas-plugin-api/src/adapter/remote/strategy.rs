//! `nas.strategy/1`

use nas_plugin_abi::{
    AbiResult, AskReply, Bytes, RSlice, StrategyModule_Ref, StrategyObject, TellBatch,
};
use serde::{Deserialize, Serialize};

use super::component::component;
use super::message::{Answer, Packed};
use super::{Remote, unexpected};
use crate::adapter::cbor::{receive, send};
use crate::adapter::strategy::{ID, Object};
use crate::error::PluginError;

#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    Ask(u32),
    Tell(Told),
    Save,
    Restore(Packed<u8>),
}

/// [`TellBatch`]
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    ids: Packed<u64>,
    genotypes: Packed<u16>,
    outcomes: Packed<u8>,
    objectives: Packed<f64>,
    details: Packed<u8>,
}

/// [`AskReply`]
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    state: u8,
    count: u32,
    genotypes: Packed<u16>,
    details: Packed<u8>,
}

component!(Strategy, StrategyModule_Ref, context);

impl StrategyObject for Remote {
    fn ask_many(&mut self, slots: u32) -> AbiResult<AskReply> {
        send(self.ask(Method::Ask(slots).into()).and_then(|answer| match answer {
            Answer::Asked(Asked { state, count, genotypes, details }) => {
                let (genotypes, details) = (genotypes.0.into(), details.0.into());
                Ok(AskReply { state, count, genotypes, details })
            }
            _ => Err(unexpected()),
        }))
    }

    fn tell_many(&mut self, trials: TellBatch<'_>) -> AbiResult<()> {
        let told = Told {
            ids: Packed(trials.ids.to_vec()),
            genotypes: Packed(trials.genotypes.to_vec()),
            outcomes: Packed(trials.outcomes.to_vec()),
            objectives: Packed(trials.objectives.to_vec()),
            details: Packed(trials.details.to_vec()),
        };
        self.ask_for_nothing(Method::Tell(told).into())
    }

    fn save(&self) -> AbiResult<Bytes> {
        self.ask_for_bytes(Method::Save.into())
    }

    fn restore(&mut self, state: RSlice<'_, u8>) -> AbiResult<()> {
        self.ask_for_nothing(Method::Restore(Packed(state.to_vec())).into())
    }
}

pub(super) fn answer(object: &mut Object, method: Method) -> Result<Answer, PluginError> {
    match method {
        Method::Ask(slots) => {
            let AskReply { state, count, genotypes, details } = receive(object.ask_many(slots))?;
            let (genotypes, details) = (Packed(genotypes.into()), Packed(details.into()));
            Ok(Answer::Asked(Asked { state, count, genotypes, details }))
        }
        Method::Tell(told) => receive(object.tell_many(TellBatch {
            ids: told.ids.0.as_slice().into(),
            genotypes: told.genotypes.0.as_slice().into(),
            outcomes: told.outcomes.0.as_slice().into(),
            objectives: told.objectives.0.as_slice().into(),
            details: told.details.0.as_slice().into(),
        }))
        .map(|()| Answer::Done),
        Method::Save => receive(object.save()).map(Answer::bytes),
        Method::Restore(state) => {
            receive(object.restore(state.0.as_slice().into())).map(|()| Answer::Done)
        }
    }
}
