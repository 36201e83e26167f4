//! Asking the policies: the strictest verdict wins, and a policy that fails counts as halt.

use std::sync::Arc;

use nas_plugin_api::error::PluginError;
use nas_plugin_api::verdict::{Action, PolicyContext, Question, QuestionKind, Verdict};

use super::Policy;
use crate::journal::Event;
use crate::plugin::CallError;
use crate::settings::PolicyMode;

/// What the policies say together about one question to which at least one objects.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    /// The policy that was strictest; empty where none that objects is enforced.
    pub(crate) policy: String,
    /// Its verdict.
    pub(crate) verdict: Verdict,
    /// Each objection, as it is written down.
    pub(crate) objections: Vec<Event>,
}

/// `None` where nobody objects.
pub(crate) type Judged = Option<Box<Judgement>>;

impl Judgement {
    /// Whether a candidate, or its result, is refused.
    pub(super) fn rejects(&self) -> bool {
        self.verdict.action.severity() >= Action::RejectCandidate.severity()
    }

    /// Why, for a person.
    pub(super) fn reason(&self) -> String {
        format!("policy `{}` ({}): {}", self.policy, self.verdict.code, self.verdict.reason)
    }
}

/// Whether some policy answers this kind of question.
pub(super) fn anybody_answers(policies: &[Policy], kind: QuestionKind) -> bool {
    policies.iter().any(|policy| policy.answers(kind))
}

/// Asks one question.
pub(crate) fn judge(
    policies: &[Policy],
    question: Question,
    context: &Arc<PolicyContext>,
) -> Judged {
    judge_all(policies, vec![question], context).pop().flatten()
}

/// Asks questions of one kind, all of them with one call of each policy that answers this kind.
/// Where that call fails, the policy halts each of them.
pub(super) fn judge_all(
    policies: &[Policy],
    questions: Vec<Question>,
    context: &Arc<PolicyContext>,
) -> Vec<Judged> {
    let mut judgements: Vec<Judged> = vec![None; questions.len()];
    let Some(kind) = questions.first().map(Question::kind) else { return judgements };
    let questions = Arc::new(questions);
    for policy in policies.iter().filter(|policy| policy.answers(kind)) {
        let verdicts = ask(policy, &questions, context).unwrap_or_else(|error| {
            let text = format!("the policy failed, which counts as halt: {error}");
            vec![Verdict::new(Action::HaltRun, "policy_failed", text); questions.len()]
        });
        for ((judgement, question), mut verdict) in
            judgements.iter_mut().zip(&*questions).zip(verdicts)
        {
            if let (Action::PauseForApproval { signer, .. }, Some(key)) =
                (&mut verdict.action, &policy.approver)
            {
                *signer = Some(key.clone());
            }
            if verdict.action != Action::Allow {
                let is_approved = is_approved(&verdict.action, context);
                let judgement = judgement.get_or_insert_with(Box::default);
                judgement.add(policy, question, verdict, is_approved);
            }
        }
    }
    judgements
}

fn ask(
    policy: &Policy,
    questions: &Arc<Vec<Question>>,
    context: &Arc<PolicyContext>,
) -> Result<Vec<Verdict>, CallError> {
    let (asked, context) = (Arc::clone(questions), Arc::clone(context));
    let verdicts =
        policy.policy.call("judge", move |policy| policy.judge_many(&asked, &context))?;
    match verdicts.len() == questions.len() {
        true => Ok(verdicts),
        false => {
            let text = format!("judge: {} verdicts for {}", verdicts.len(), questions.len());
            Err(PluginError::internal(text).into())
        }
    }
}

/// Whether a person has approved what this asks approval for.
fn is_approved(action: &Action, context: &PolicyContext) -> bool {
    match action {
        Action::PauseForApproval { threshold, signer } => {
            context.is_approved(threshold, signer.as_deref())
        }
        _ => false,
    }
}

impl Default for Judgement {
    fn default() -> Self {
        Self { policy: String::new(), verdict: Verdict::allow(), objections: Vec::new() }
    }
}

impl Judgement {
    /// Notes an objection. One that asks for what was approved is written down, and not obeyed.
    fn add(&mut self, policy: &Policy, question: &Question, verdict: Verdict, is_approved: bool) {
        let enforced = policy.mode == PolicyMode::Enforce;
        self.objections.push(Event::Judged {
            policy: policy.name.clone(),
            question: question.kind(),
            trial: question.trial(),
            verdict: verdict.clone(),
            enforced,
        });
        if enforced && !is_approved && verdict.action.severity() > self.verdict.action.severity() {
            self.policy.clone_from(&policy.name);
            self.verdict = verdict;
        }
    }
}
