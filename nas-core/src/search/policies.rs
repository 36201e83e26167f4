//! Asking the policies: the strictest verdict wins, and a policy that fails counts as halt.

use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::{Action, PolicyContext, Question, Verdict};

use super::Policy;
use crate::journal::Event;
use crate::settings::PolicyMode;

/// What the policies say together.
pub(super) struct Judgement {
    /// The policy that was strictest; empty where none objects.
    pub(super) policy: String,
    /// Its verdict.
    pub(super) verdict: Verdict,
}

/// Asks every policy and writes down each objection.
pub(super) fn judge(
    policies: &[Policy],
    question: &Question,
    trial: Option<TrialId>,
    context: &PolicyContext,
    events: &mut Vec<Event>,
) -> Judgement {
    let mut strictest = Judgement { policy: String::new(), verdict: Verdict::allow() };
    for Policy { name, mode, policy } in policies {
        let (asked, context) = (question.clone(), context.clone());
        let verdict = policy
            .call("judge", move |policy| policy.judge(&asked, &context))
            .unwrap_or_else(|error| {
                let text = format!("the policy failed, which counts as halt: {error}");
                Verdict::new(Action::HaltRun, "policy_failed", text)
            });
        if verdict.action == Action::Allow {
            continue;
        }
        let enforced = *mode == PolicyMode::Enforce;
        events.push(Event::Judged {
            policy: name.clone(),
            question: question.kind(),
            trial,
            verdict: verdict.clone(),
            enforced,
        });
        if enforced && verdict.action.severity() > strictest.verdict.action.severity() {
            strictest = Judgement { policy: name.clone(), verdict };
        }
    }
    strictest
}
