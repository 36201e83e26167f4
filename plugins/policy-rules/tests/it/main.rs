//! Conditions hold when they should, and what makes no sense is refused before anything runs.

#![cfg(test)]

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{
    Action, Candidate, Plan, PolicyContext, Progress, Question, QuestionKind, Review, Spending,
};
use policy_rules::{Asked, Condition, Objection, Rules, RulesConfig};

fn condition(on: Asked, when: &str) -> Condition {
    let (code, when) = ("it".to_owned(), when.to_owned());
    Condition { code, on, when, action: Objection::Halt, reason: String::new() }
}

fn rules(conditions: &[Condition]) -> Result<Rules, String> {
    Rules::create(RulesConfig { conditions: conditions.to_vec() }, ()).map_err(|e| e.to_string())
}

fn question(on: Asked) -> Question {
    let candidate = Candidate {
        trial: 7,
        cost: Cost { parameters: 1_000_000, depth: 12, ..Cost::default() },
        operations: [("sep_conv_3x3".into(), 3), ("skip_connect".into(), 2)].into(),
        ..Candidate::default()
    };
    let review = |candidate| Review {
        candidate,
        outcome: Outcome::Finished,
        measurements: Measurements([("latency_ms".to_owned(), 5.5)].into()),
        objectives: vec![0.9, 0.1],
    };
    match on {
        Asked::Candidate => Question::Candidate(candidate),
        Asked::Review => Question::Review(review(candidate)),
        Asked::Champion => Question::Champion(review(candidate)),
        Asked::Progress => Question::Progress(Progress {
            unit: "epoch".to_owned(),
            completed: 3,
            signals: [("skip_share".to_owned(), 0.25)].into(),
            ..Progress::default()
        }),
        Asked::Plan => Question::Plan(Plan { strategy: "random".to_owned(), ..Plan::default() }),
        Asked::Resume => Question::Resume(Plan::default()),
    }
}

fn context() -> PolicyContext {
    PolicyContext {
        spent: Spending { trials: 40, cpu_seconds: 100.0, ..Spending::default() },
        budget: [("trials".to_owned(), 50.0)].into(),
        ..PolicyContext::default()
    }
}

#[track_caller]
fn check(on: Asked, when: &str, holds: bool) {
    let mut rules = rules(&[condition(on, when)]).unwrap();
    let verdict = rules.judge(&question(on), &context()).unwrap();
    let code = if holds { "it" } else { "" };
    assert_eq!(verdict.code, code, "{when}: {verdict:?}");
}

#[test]
fn conditions_speak_of_candidate_cost_spent_and_history() {
    check(Asked::Candidate, "cost.parameters > 500000 && cost.depth >= 12", true);
    check(Asked::Candidate, "cost.parameters > 2000000", false);
    check(Asked::Candidate, "cost.parameters * 2 + 1 > 2000000", true);
    check(Asked::Candidate, "operations['skip_connect'] / double(size(operations)) >= 1", true);
    check(Asked::Candidate, "has(operations.none) && operations.none > 0", false);
    check(Asked::Candidate, "operations.exists(name, name.startsWith('skip'))", true);
    check(Asked::Candidate, "operations.all(name, operations[name] < 3)", false);
    check(Asked::Candidate, "'sep_conv_3x3' in operations", true);
    check(Asked::Candidate, "trial == 7 || trial in [1, 2, 3]", true);
    check(Asked::Review, "outcome == 'finished' && measurements.latency_ms > 5", true);
    check(Asked::Review, "objectives[0] < 0.5", false);
    check(Asked::Review, "objectives.filter(o, o > 0.5).size() == 1", true);
    check(Asked::Champion, "objectives.exists_one(o, o > 0.5)", true);
    check(Asked::Progress, "unit == 'epoch' && signals.skip_share > 0.2", true);
    check(Asked::Progress, "spent.trials / budget.trials > 0.75", true);
    check(Asked::Plan, "strategy != 'random'", false);
    check(Asked::Resume, "elapsed_seconds < 0 || history.best > 0", false);
    check(Asked::Plan, "max(spent.trials, 50) == 50 ? true : false", true);
}

#[track_caller]
fn check_refused(on: Asked, when: &str, expected: &str) {
    let error = rules(&[condition(on, when)]).err().unwrap_or_default();
    assert!(error.contains(expected), "{when}: {error}");
    assert!(error.contains("conditions[0]"), "{error}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    check_refused(Asked::Candidate, "cost.parameters >", "is no CEL");
    check_refused(Asked::Candidate, "cost.parameters", "a number, not true or false");
    check_refused(Asked::Candidate, "cost.params > 1", "no `params` here (known: parameters");
    check_refused(Asked::Candidate, "true || cots.parameters > 1", "`cots` is not known");
    check_refused(Asked::Candidate, "measurements.latency_ms > 1", "not known at this question");
    check_refused(Asked::Candidate, "cost.parameters > 'many'", "a number and a text");
    check_refused(Asked::Candidate, "cost.parameters && true", "can't be used with");
    check_refused(Asked::Candidate, "size(operations) + 1 > 2", "double(size(…))");
    check_refused(Asked::Candidate, "trial.exists(x, x > 1)", "one by one");
    check_refused(Asked::Candidate, "operations.exists(x, x > 1)", "a text and a number");
    check_refused(Asked::Candidate, "now() > 3", "`now()`");
    check_refused(Asked::Candidate, "{'a': 1}.a > 0", "can't be written");
    check_refused(Asked::Candidate, "objectives[0] > 0", "not known at this question");
    check_refused(Asked::Candidate, &"!".repeat(5000), "at most 4096");
    check_refused(Asked::Candidate, &format!("{}true", "!(".repeat(500)), "is no CEL");
}

#[test]
fn a_value_that_is_not_there_halts() {
    let mut rules =
        rules(&[condition(Asked::Review, "measurements.peak_memory_bytes > 1")]).unwrap();
    let verdict = rules.judge(&question(Asked::Review), &context()).unwrap();
    assert_eq!((verdict.action, verdict.code.as_str()), (Action::HaltRun, "condition_failed"));
    assert!(verdict.reason.contains("peak_memory_bytes"), "{}", verdict.reason);
}

#[test]
fn what_is_read_is_needed_and_nothing_else_is_asked() {
    let rules = rules(&[
        condition(Asked::Review, "measurements['latency_ms'] > 1 || has(measurements.train_loss)"),
        condition(Asked::Progress, "signals.hessian_eigenvalue > 1"),
    ])
    .unwrap();
    assert_eq!(rules.answers(), [QuestionKind::Progress, QuestionKind::Review]);
    assert_eq!(rules.needs(QuestionKind::Review), ["latency_ms"]);
    assert_eq!(rules.needs(QuestionKind::Progress), ["hessian_eigenvalue"]);
}

#[test]
fn the_strictest_condition_wins() {
    let warn = Condition { action: Objection::Warn, ..condition(Asked::Candidate, "true") };
    let reject = Condition {
        code: "no".to_owned(),
        action: Objection::Reject,
        reason: "since it is so".to_owned(),
        ..condition(Asked::Candidate, "cost.depth > 1")
    };
    let mut rules = rules(&[warn, reject]).unwrap();
    let verdict = rules.judge(&question(Asked::Candidate), &context()).unwrap();
    assert_eq!(verdict.action, Action::RejectCandidate);
    assert_eq!((verdict.code.as_str(), verdict.reason.as_str()), ("no", "since it is so"));
    let reject = Condition { action: Objection::Reject, ..condition(Asked::Plan, "true") };
    assert!(self::rules(&[reject]).is_err(), "there is no candidate at this question");
}

#[test]
fn ten_conditions_cost_a_candidate_less_than_a_millisecond() {
    let when = "cost.parameters > 5000000 || operations.exists(name, operations[name] > 100)";
    let mut rules = rules(&vec![condition(Asked::Candidate, when); 10]).unwrap();
    let (question, context) = (question(Asked::Candidate), context());
    let began = std::time::Instant::now();
    for _ in 0..1000 {
        assert_eq!(rules.judge(&question, &context).unwrap().action, Action::Allow);
    }
    let each = began.elapsed() / 1000;
    println!("{each:?} a candidate");
    assert!(each < std::time::Duration::from_millis(1), "{each:?}");
}
