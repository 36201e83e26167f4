//! `nas.policy/1`

use std::collections::BTreeMap;

use nas_plugin_abi::{
    AbiResult, Bytes, Extension, PolicyModule, PolicyObject, PolicyObject_TO, RBox, RSlice, RStr,
    TD_Opaque, WithMetadata,
};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use crate::component::{Constructor, SafetyPolicy};
use crate::error::{ErrorCode, PluginError};
use crate::verdict::{PolicyContext, Question, QuestionKind, Verdict};

pub(super) const ID: &str = "nas.policy/1";
pub(super) type Object = PolicyObject_TO<'static, RBox<()>>;

/// Every kind of question that this version asks.
const KINDS: [QuestionKind; 7] = [
    QuestionKind::Plan,
    QuestionKind::Candidate,
    QuestionKind::Progress,
    QuestionKind::Review,
    QuestionKind::Champion,
    QuestionKind::Export,
    QuestionKind::Resume,
];

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<PolicyModule> = &WithMetadata::new(PolicyModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(name: RStr<'_>, config: RSlice<'_, u8>) -> AbiResult<Object> {
    send(catch(|| match registered(name.as_str(), |c| matches!(c, Constructor::Policy(_)))? {
        Constructor::Policy(make) => {
            let exported = Exported { component: Guarded::new(make(decode(config.as_slice())?)?) };
            Ok(Object::from_value(exported, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn SafetyPolicy>>,
}

impl PolicyObject for Exported {
    fn describe(&self) -> AbiResult<Bytes> {
        send(self.component.call(|policy| {
            let needs: BTreeMap<QuestionKind, Vec<String>> =
                KINDS.iter().map(|&kind| (kind, policy.needs(kind))).collect();
            encode(&needs)
        }))
    }

    fn judge_many(&mut self, questions: RSlice<'_, u8>) -> AbiResult<Bytes> {
        send(self.component.call(|policy| {
            let questions: Vec<(Question, PolicyContext)> = decode(questions.as_slice())?;
            let verdicts: Result<Vec<Verdict>, PluginError> = questions
                .iter()
                .map(|(question, context)| policy.judge(question, context))
                .collect();
            encode(&verdicts?)
        }))
    }
}

/// A safety policy in a loaded library.
pub(super) struct Imported {
    object: Object,
    needs: BTreeMap<QuestionKind, Vec<String>>,
}

impl Imported {
    pub(super) fn new(object: Object) -> Result<Self, PluginError> {
        let needs = decode(&receive(object.describe())?)?;
        Ok(Self { object, needs })
    }
}

impl SafetyPolicy for Imported {
    fn needs(&self, question: QuestionKind) -> Vec<String> {
        self.needs.get(&question).cloned().unwrap_or_default()
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        let questions = encode(&[(question, context)])?;
        let verdicts: Vec<Verdict> =
            decode(&receive(self.object.judge_many(questions.as_slice().into()))?)?;
        match <[Verdict; 1]>::try_from(verdicts) {
            Ok([verdict]) => Ok(verdict),
            Err(verdicts) => Err(PluginError::new(
                ErrorCode::Message,
                format!("judge: {} verdicts for one question", verdicts.len()),
            )),
        }
    }
}
