//! `rules`: conditions that an organisation writes itself, in CEL, the expression language that
//! Kubernetes uses.
//!
//! [`Condition`] is what is written, `vocabulary` what it can speak of, `types` checks it
//! before anything runs, and `facts` fills in the values of a question. A condition that can't be
//! evaluated (a measurement that is not there) counts as one that holds, and halts.

mod condition;
mod facts;
mod types;
mod vocabulary;

pub use condition::{Asked, Condition, Objection};

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{Action, PolicyContext, Question, QuestionKind, Verdict};

use condition::Compiled;

nas_plugin_api::export_plugin! { policies: [Rules] }

nas_plugin_api::configuration! {
    /// Settings of the conditions.
    pub struct RulesConfig {
        /// The conditions, each with `code`, `on`, `when` and `action`; the strictest that holds
        /// wins.
        pub conditions: Vec<Condition> = [],
    }
}

/// Judges by conditions that an organisation writes itself.
pub struct Rules {
    conditions: Vec<Compiled>,
}

impl Component for Rules {
    const NAME: &'static str = "rules";
    const SUMMARY: &'static str = "judges by an organisation's own conditions, written in CEL";
    type Config = RulesConfig;
    type Context = ();

    fn create(config: RulesConfig, (): ()) -> Result<Self, PluginError> {
        let compile = |(index, condition): (usize, &Condition)| {
            Compiled::new(condition).map_err(|message| {
                let code = &condition.code;
                let text = format!("understand `conditions[{index}]` (`{code}`): {message}");
                PluginError::configuration(text)
            })
        };
        let conditions = config.conditions.iter().enumerate().map(compile);
        Ok(Self { conditions: conditions.collect::<Result<_, _>>()? })
    }
}

impl SafetyPolicy for Rules {
    fn answers(&self) -> Vec<QuestionKind> {
        let kinds = QuestionKind::ALL.into_iter();
        kinds.filter(|kind| self.conditions.iter().any(|one| one.on == *kind)).collect()
    }

    fn needs(&self, question: QuestionKind) -> Vec<String> {
        let asked = self.conditions.iter().filter(|one| one.on == question);
        let mut needs: Vec<String> = asked.flat_map(|one| one.needs.clone()).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        let kind = question.kind();
        if !self.conditions.iter().any(|one| one.on == kind) {
            return Ok(Verdict::allow());
        }
        let facts = facts::of(question, context);
        let asked = self.conditions.iter().filter(|one| one.on == kind);
        Ok(asked.fold(Verdict::allow(), |verdict, condition| {
            verdict.stricter(match condition.holds(&facts) {
                Ok(false) => Verdict::allow(),
                Ok(true) => condition.objection(),
                Err(error) => {
                    let reason = format!(
                        "condition `{}` can't be evaluated, which counts as halt: {error}",
                        condition.code
                    );
                    Verdict::new(Action::HaltRun, "condition_failed", reason)
                }
            })
        }))
    }
}
