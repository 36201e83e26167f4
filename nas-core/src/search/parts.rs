//! What a search is made of.

use std::sync::Arc;

use nas_plugin_api::component::{Ask, Fitness, SafetyPolicy, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::trial::{Fidelity, Trial};
use nas_plugin_api::verdict::{Action, PolicyContext, Question, QuestionKind, Verdict};

use super::policies::judge;
use crate::budget::QuotaError;
use crate::executor::ExecutorError;
use crate::journal::JournalError;
use crate::network::{NetworkError, NetworkSpace};
use crate::plugin::{CallError, Timed};
use crate::settings::PolicyMode;

/// The components of a search, ready to be called.
pub struct Parts {
    /// The space and its operations.
    pub space: NetworkSpace,
    /// What proposes.
    pub strategy: Timed<Box<dyn SearchStrategy>>,
    /// What scores.
    pub fitness: Timed<Box<dyn Fitness>>,
    /// What the fitness function computes.
    pub objectives: Vec<Objective>,
    /// What the fitness function reads.
    pub fitness_needs: Vec<String>,
    /// What may object.
    pub policies: Vec<Policy>,
    /// How thoroughly a trial is evaluated where a proposal does not say.
    pub fidelity: Fidelity,
    /// Zero-cost proxies that untrained networks are measured by; where there are none, a proposal
    /// of that fidelity is invalid.
    pub proxies: Vec<String>,
}

/// A policy that takes part.
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Whether it is obeyed.
    pub mode: PolicyMode,
    /// The policy itself.
    pub policy: Timed<Box<dyn SafetyPolicy>>,
    /// The organisation's approver, whose key must sign whatever this policy wants approved.
    pub(super) approver: Option<String>,
    answers: Vec<QuestionKind>,
}

impl Policy {
    /// A policy, once it has said which questions it answers.
    ///
    /// # Errors
    /// One that does not say.
    pub fn new(
        name: &str,
        mode: PolicyMode,
        policy: Timed<Box<dyn SafetyPolicy>>,
    ) -> Result<Self, CallError> {
        let answers = policy.call("list what it answers", |policy| Ok(policy.answers()))?;
        Ok(Self { name: name.to_owned(), mode, policy, approver: None, answers })
    }

    /// The same, where an organisation's approver signs all that is approved.
    #[must_use]
    pub fn approved_by(self, approver: Option<String>) -> Self {
        Self { approver, ..self }
    }

    /// Whether it is asked this kind of question.
    #[must_use]
    pub fn answers(&self, kind: QuestionKind) -> bool {
        self.answers.contains(&kind)
    }
}

impl Parts {
    /// Asks every policy one question; the strictest objection of one that is enforced, with the
    /// policy's name.
    #[must_use]
    pub fn ask_policies(
        &self,
        question: &Question,
        context: &PolicyContext,
    ) -> Option<(String, Verdict)> {
        let judgement = judge(&self.policies, question.clone(), &Arc::new(context.clone()))?;
        (judgement.verdict.action != Action::Allow).then_some((judgement.policy, judgement.verdict))
    }

    pub(super) fn call_strategy<R: Send + 'static>(
        &self,
        what: &'static str,
        call: impl FnOnce(&mut dyn SearchStrategy) -> Result<R, PluginError> + Send + 'static,
    ) -> Result<R, SearchError> {
        self.strategy.call(what, move |strategy| call(strategy.as_mut())).map_err(|source| {
            SearchError::Component { component: self.strategy.component().to_owned(), source }
        })
    }

    /// Tells the strategy and asks it, for one hand-over.
    pub(super) fn tell_and_ask(
        &self,
        trials: Vec<Trial>,
        slots: usize,
    ) -> Result<Ask, SearchError> {
        let answer = self.strategy.call_times(2, "take results and propose", move |strategy| {
            strategy.tell(&trials)?;
            strategy.ask(slots)
        });
        answer.map_err(|source| SearchError::Component {
            component: self.strategy.component().to_owned(),
            source,
        })
    }

    pub(super) fn call_fitness<R: Send + 'static>(
        &self,
        what: &'static str,
        call: impl FnOnce(&mut dyn Fitness) -> Result<R, PluginError> + Send + 'static,
    ) -> Result<R, SearchError> {
        self.fitness.call(what, move |fitness| call(fitness.as_mut())).map_err(|source| {
            SearchError::Component { component: self.fitness.component().to_owned(), source }
        })
    }
}

/// Why a search can't go on. Whatever was journalled before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The journal can't be written.
    #[error("the journal can't be written: {0}")]
    Journal(#[from] JournalError),
    /// The quota that the run counts against can't be used.
    #[error("failed to {0}")]
    Quota(#[from] QuotaError),
    /// A component failed.
    #[error("`{component}` failed to {source}")]
    Component {
        /// The component's name.
        component: String,
        /// What happened.
        source: CallError,
    },
    /// No trial can be computed.
    #[error("failed to {0}")]
    Executor(#[from] ExecutorError),
    /// An admitted network can't be built.
    #[error("a network can't be built: {0}")]
    Network(#[from] NetworkError),
    /// The journalled search can't be repeated.
    #[error(
        "the journal can't be repeated: event {seq} says {journalled}, but now {repeated}; \
         was a plugin changed since?"
    )]
    Replay {
        /// The event.
        seq: u64,
        /// What it says.
        journalled: String,
        /// What came of it now.
        repeated: String,
    },
}
