//! Every limit at its boundary.

#![cfg(test)]

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{
    Action, Candidate, Plan, PolicyContext, Question, QuestionKind, Review, Verdict,
};
use policy_limits::{Limits, LimitsConfig};

fn judge(config: &LimitsConfig, question: &Question) -> Verdict {
    let mut limits = Limits::create(config.clone(), ()).unwrap();
    limits.judge(question, &PolicyContext::default()).unwrap()
}

fn candidate(cost: Cost) -> Candidate {
    let operations = [("conv_3x3".into(), 2), ("none".into(), 0)].into();
    Candidate { cost, operations, ..Candidate::default() }
}

fn review(outcome: Outcome, measurements: Measurements) -> Review {
    Review { candidate: candidate(Cost::default()), outcome, measurements, objectives: vec![0.5] }
}

#[track_caller]
fn check_cost(config: &LimitsConfig, cost: Cost, code: &str) {
    let verdict = judge(config, &Question::Candidate(candidate(cost)));
    let action = if code.is_empty() { Action::Allow } else { Action::RejectCandidate };
    assert_eq!((verdict.code.as_str(), verdict.action), (code, action));
}

#[test]
fn by_default_only_parameters_are_limited() {
    let config = LimitsConfig::default();
    let huge =
        Cost { parameters: 0, multiply_adds: u64::MAX, activation_bytes: u64::MAX, depth: 9999 };
    check_cost(&config, Cost { parameters: 50_000_000, ..huge }, "");
    check_cost(&config, Cost { parameters: 50_000_001, ..huge }, "parameters_limit");
}

#[test]
fn a_limit_itself_is_allowed_and_one_more_is_not() {
    let config = LimitsConfig {
        max_parameters: Some(10),
        max_multiply_adds: Some(20),
        max_activation_bytes: Some(30),
        max_depth: Some(4),
        ..LimitsConfig::default()
    };
    let cost = Cost { parameters: 10, multiply_adds: 20, activation_bytes: 30, depth: 4 };
    check_cost(&config, cost, "");
    check_cost(&config, Cost { parameters: 11, ..cost }, "parameters_limit");
    check_cost(&config, Cost { multiply_adds: 21, ..cost }, "multiply_adds_limit");
    check_cost(&config, Cost { activation_bytes: 31, ..cost }, "activation_bytes_limit");
    check_cost(&config, Cost { depth: 5, ..cost }, "depth_limit");
}

#[test]
fn a_refusal_says_what_was_found_and_what_is_allowed() {
    let cost = Cost { parameters: 60_000_000, ..Cost::default() };
    let verdict = judge(&LimitsConfig::default(), &Question::Candidate(candidate(cost)));
    assert_eq!(verdict.reason, "60000000 parameters are more than 50000000");
    assert_eq!(
        verdict.evidence,
        [("limit".to_owned(), 5e7), ("parameters".to_owned(), 6e7)].into()
    );
}

#[test]
fn an_operation_is_denied_only_where_it_is_used() {
    let deny = |name: &str| LimitsConfig {
        denied_operations: vec![name.to_owned()],
        ..LimitsConfig::default()
    };
    check_cost(&deny("conv_3x3"), Cost::default(), "denied_operation");
    check_cost(&deny("none"), Cost::default(), "");
    check_cost(&deny("conv_5x5"), Cost::default(), "");
}

#[track_caller]
fn check_latency(min: Option<f64>, max: Option<f64>, latency: Option<f64>, expected: Action) {
    let config =
        LimitsConfig { min_latency_ms: min, max_latency_ms: max, ..LimitsConfig::default() };
    let measurements = match latency {
        Some(latency) => Measurements::from([("latency_ms", latency)]),
        None => Measurements::default(),
    };
    let review = review(Outcome::Finished, measurements);
    for question in [
        Question::Review(review.clone()),
        Question::Champion(review.clone()),
        Question::Export(review),
    ] {
        assert_eq!(judge(&config, &question).action, expected);
    }
}

#[test]
fn latency_lies_between_its_limits() {
    let [min, max] = [Some(1.0), Some(5.0)];
    check_latency(None, None, None, Action::Allow);
    check_latency(min, max, Some(1.0), Action::Allow);
    check_latency(min, max, Some(5.0), Action::Allow);
    check_latency(min, max, Some(0.999), Action::RejectCandidate);
    check_latency(min, max, Some(5.001), Action::RejectCandidate);
    check_latency(None, max, Some(0.0), Action::Allow);
    check_latency(min, None, Some(1e9), Action::Allow);
}

#[test]
fn a_result_without_its_latency_is_refused() {
    check_latency(None, Some(5.0), None, Action::RejectCandidate);
    check_latency(None, Some(5.0), Some(f64::NAN), Action::RejectCandidate);
}

#[test]
fn a_trial_that_failed_has_no_latency_to_judge() {
    let config = LimitsConfig { max_latency_ms: Some(5.0), ..LimitsConfig::default() };
    let failed = Question::Review(review(Outcome::Failed, Measurements::default()));
    assert_eq!(judge(&config, &failed), Verdict::allow());
}

#[test]
fn latency_is_needed_only_where_it_is_limited_and_known() {
    let needs = |config, kind| Limits::create(config, ()).unwrap().needs(kind);
    let limited = LimitsConfig { min_latency_ms: Some(1.0), ..LimitsConfig::default() };
    assert_eq!(needs(limited.clone(), QuestionKind::Review), ["latency_ms"]);
    assert!(needs(limited, QuestionKind::Candidate).is_empty());
    assert!(needs(LimitsConfig::default(), QuestionKind::Review).is_empty());
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let [min_latency_ms, max_latency_ms] = [Some(5.0), Some(1.0)];
    let config = LimitsConfig { min_latency_ms, max_latency_ms, ..LimitsConfig::default() };
    assert!(Limits::create(config, ()).is_err());
}

#[test]
fn other_questions_are_none_of_its_business() {
    let plan = Question::Plan(Plan::default());
    assert_eq!(judge(&LimitsConfig::default(), &plan), Verdict::allow());
}
