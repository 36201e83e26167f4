//! A condition as it is written, and as it is evaluated.

use cel::common::ast::IdedExpr;
use cel::parser::Parser;
use cel::{Context, Value};
use nas_plugin_api::verdict::{Action, QuestionKind, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{self, Type};
use crate::vocabulary;

/// Longest condition, in bytes: nobody can review a longer one.
const LONGEST: usize = 4096;

/// Something that an organisation objects to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A short, stable word for it (`too_deep`); verdicts have it as their code.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub code: String,
    /// The question at which it is looked at.
    pub on: Asked,
    /// What is objected to, in CEL: `cost.parameters > 1000000`. True means that it is.
    pub when: String,
    /// What is to be done then.
    #[serde(default)]
    pub action: Objection,
    /// Why, for people; the condition itself where it is left out.
    #[serde(default)]
    pub reason: String,
}

/// The question at which a condition is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Before a search begins.
    Plan,
    /// For every valid proposal, before anything is built.
    Candidate,
    /// After a generation, some trials, or an epoch of a one-shot search.
    Progress,
    /// When a trial has ended.
    Review,
    /// About a search's best trial.
    Champion,
    /// Before a run is taken up again.
    Resume,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objection {
    /// Tell the user.
    Warn,
    /// Refuse the candidate, or its result.
    Reject,
    /// Wait until a person approves.
    Pause,
    /// End the search.
    #[default]
    Halt,
}

/// A condition that was checked.
pub(crate) struct Compiled {
    pub(crate) code: String,
    pub(crate) on: QuestionKind,
    /// Measurements or signals that it reads.
    pub(crate) needs: Vec<String>,
    expression: IdedExpr,
    action: Action,
    reason: String,
}

impl Compiled {
    /// Parses a condition and checks its types.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(condition: &Condition) -> Result<Self, String> {
        let Condition { code, on, when, action, reason } = condition;
        if when.len() > LONGEST {
            return Err(format!("it has {} bytes; at most {LONGEST} are read", when.len()));
        }
        let on = on.kind();
        let parsed = Parser::new().parse(when);
        let mut expression = parsed.map_err(|error| format!("`{when}` is no CEL: {error}"))?;
        types::use_reals(&mut expression);
        let found = types::check(&expression, vocabulary::of(on))
            .map_err(|message| format!("`{when}`: {message}"))?;
        if found != Type::Bool {
            return Err(format!("`{when}` is {found}, not true or false"));
        }
        let action = match action {
            Objection::Warn => Action::Warn,
            Objection::Reject => Action::RejectCandidate,
            Objection::Pause => Action::PauseForApproval { threshold: code.clone(), signer: None },
            Objection::Halt => Action::HaltRun,
        };
        let is_about_one =
            !matches!(on, QuestionKind::Plan | QuestionKind::Progress | QuestionKind::Resume);
        if action == Action::RejectCandidate && !is_about_one {
            let text = "there is no candidate to `reject` at this question; use `halt` or `warn`";
            return Err(text.to_owned());
        }
        let reason = if reason.is_empty() { format!("`{when}` holds") } else { reason.clone() };
        let needs = types::needs(&expression);
        Ok(Self { code: code.clone(), on, needs, expression, action, reason })
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// Something that it reads is not there.
    pub(crate) fn holds(&self, facts: &Context<'_>) -> Result<bool, String> {
        match Value::resolve(&self.expression, facts) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it is {other:?}, not true or false")),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn objection(&self) -> Verdict {
        Verdict::new(self.action.clone(), &self.code, self.reason.clone())
    }
}

impl Asked {
    fn kind(self) -> QuestionKind {
        match self {
            Self::Plan => QuestionKind::Plan,
            Self::Candidate => QuestionKind::Candidate,
            Self::Progress => QuestionKind::Progress,
            Self::Review => QuestionKind::Review,
            Self::Champion => QuestionKind::Champion,
            Self::Resume => QuestionKind::Resume,
        }
    }
}
