//! What is asked about, and what is not asked about again.

#![cfg(test)]

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::measurement::Cost;
use nas_plugin_api::verdict::{
    Action, Candidate, PolicyContext, Progress, Question, Spending, Verdict,
};
use policy_approval::{Approval, ApprovalConfig};

fn judge(config: ApprovalConfig, question: &Question, context: &PolicyContext) -> Verdict {
    Approval::create(config, ()).unwrap().judge(question, context).unwrap()
}

fn spent(trials: u64, money: f64, approvals: &[&str]) -> PolicyContext {
    let spent = Spending { trials, money, ..Spending::default() };
    let mut context = PolicyContext { spent, ..PolicyContext::default() };
    approvals.iter().for_each(|name| context.approve(name, Some("a key")));
    context
}

#[track_caller]
fn check(context: &PolicyContext, expected: Option<&str>) {
    let config = ApprovalConfig {
        signer: Some("a key".to_owned()),
        max_trials: Some(20),
        max_money: Some(5.0),
        ..ApprovalConfig::default()
    };
    let verdict = judge(config, &Question::Progress(Progress::default()), context);
    let asked = expected.map(|threshold| Action::PauseForApproval {
        threshold: threshold.to_owned(),
        signer: Some("a key".to_owned()),
    });
    assert_eq!(verdict.action, asked.unwrap_or(Action::Allow));
}

#[test]
fn each_threshold_is_asked_about_until_it_is_approved() {
    check(&spent(20, 5.0, &[]), None);
    check(&spent(21, 6.0, &[]), Some("trials"));
    check(&spent(21, 6.0, &["trials"]), Some("money"));
    check(&spent(2100, 6.0, &["trials", "money"]), None);
    let mut signed_by_another = spent(21, 0.0, &[]);
    signed_by_another.approve("trials", None);
    signed_by_another.approve("trials", Some("another key"));
    check(&signed_by_another, Some("trials"));
}

#[test]
fn a_large_network_is_asked_about_before_it_is_built() {
    let config = || ApprovalConfig { max_parameters: Some(1000), ..ApprovalConfig::default() };
    let candidate = |parameters| {
        let cost = Cost { parameters, ..Cost::default() };
        Question::Candidate(Candidate { cost, ..Candidate::default() })
    };
    let nothing = PolicyContext::default();
    assert_eq!(judge(config(), &candidate(1000), &nothing), Verdict::allow());
    let verdict = judge(config(), &candidate(1001), &nothing);
    let threshold = "parameters".to_owned();
    assert_eq!(verdict.action, Action::PauseForApproval { threshold, signer: None });
    assert_eq!(verdict.evidence["parameters"], 1001.0);
}
