//! `nas.policy/1`

use std::collections::BTreeMap;

use nas_plugin_abi::{
    AbiResult, Bytes, Extension, PolicyModule, PolicyObject, PolicyObject_TO, RBox, RSlice, RStr,
    TD_Opaque, WithMetadata,
};

use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use super::questions::Questions;
use crate::component::{Constructor, SafetyPolicy};
use crate::error::{ErrorCode, PluginError};
use crate::verdict::{PolicyContext, Question, QuestionKind, Verdict};

pub(super) const ID: &str = "nas.policy/1";
pub(super) type Object = PolicyObject_TO<'static, RBox<()>>;

/// What a policy says of itself.
#[derive(Serialize, Deserialize)]
struct Description {
    /// The kinds of question that it answers, with the measurements that it reads there. Kinds are
    /// text, so that a newer policy may name one that this host does not know.
    answers: BTreeMap<String, Vec<String>>,
}

/// Questions of one moment, as they cross.
#[derive(Serialize)]
struct Asked<'a> {
    context: &'a PolicyContext,
    questions: Questions,
}

/// The same on the other side.
#[derive(Deserialize)]
struct Received {
    context: PolicyContext,
    questions: Questions,
}

/// The answer: how many questions were judged, and every verdict but `allow` with its place.
#[derive(Serialize, Deserialize)]
struct Judged {
    count: usize,
    objections: Vec<(usize, Verdict)>,
}

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
            let kinds = policy.answers();
            let answers = kinds.into_iter().map(|kind| (word(kind), policy.needs(kind))).collect();
            encode(&Description { answers })
        }))
    }

    fn judge_many(&mut self, questions: RSlice<'_, u8>) -> AbiResult<Bytes> {
        send(self.component.call(|policy| {
            let Received { context, questions } = decode(questions.as_slice())?;
            let questions = questions.unpack()?;
            let verdicts = policy.judge_many(&questions, &context)?;
            if verdicts.len() != questions.len() {
                return Err(wrong_count(verdicts.len(), questions.len()));
            }
            let count = verdicts.len();
            let is_objection = |(_, verdict): &(usize, Verdict)| *verdict != Verdict::allow();
            let objections = verdicts.into_iter().enumerate().filter(is_objection).collect();
            encode(&Judged { count, objections })
        }))
    }
}

/// The word for a kind of question, as serde has it.
fn word(kind: QuestionKind) -> String {
    match kind {
        QuestionKind::Plan => "plan",
        QuestionKind::Candidate => "candidate",
        QuestionKind::Progress => "progress",
        QuestionKind::Review => "review",
        QuestionKind::Champion => "champion",
        QuestionKind::Export => "export",
        QuestionKind::Resume => "resume",
    }
    .to_owned()
}

fn wrong_count(verdicts: usize, questions: usize) -> PluginError {
    let text = format!("judge: {verdicts} verdicts for {questions} questions");
    PluginError::new(ErrorCode::Message, text)
}

/// A safety policy in a loaded library.
pub(super) struct Imported {
    object: Object,
    answers: BTreeMap<String, Vec<String>>,
}

impl Imported {
    pub(super) fn new(object: Object) -> Result<Self, PluginError> {
        let Description { answers } = decode(&receive(object.describe())?)?;
        Ok(Self { object, answers })
    }
}

impl SafetyPolicy for Imported {
    fn answers(&self) -> Vec<QuestionKind> {
        let named = |kind: &QuestionKind| self.answers.contains_key(&word(*kind));
        QuestionKind::ALL.into_iter().filter(named).collect()
    }

    fn needs(&self, question: QuestionKind) -> Vec<String> {
        self.answers.get(&word(question)).cloned().unwrap_or_default()
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        let mut verdicts = self.judge_many(std::slice::from_ref(question), context)?;
        verdicts.pop().ok_or_else(|| wrong_count(0, 1))
    }

    fn judge_many(
        &mut self,
        questions: &[Question],
        context: &PolicyContext,
    ) -> Result<Vec<Verdict>, PluginError> {
        let asked = encode(&Asked { context, questions: Questions::of(questions) })?;
        let Judged { count, objections } =
            decode(&receive(self.object.judge_many(asked.as_slice().into()))?)?;
        if count != questions.len() {
            return Err(wrong_count(count, questions.len()));
        }
        let mut verdicts = vec![Verdict::allow(); count];
        for (place, verdict) in objections {
            *verdicts.get_mut(place).ok_or_else(|| wrong_count(place + 1, count))? = verdict;
        }
        Ok(verdicts)
    }
}
