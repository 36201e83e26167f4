//! Policies in searches whose workers misbehave.

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, text};

/// A search with this policy, whose worker has these rules.
fn search(rules: &str, policy: &str) -> (Sandbox, Option<i32>, String) {
    let sandbox = Sandbox::with_fake_worker(rules);
    sandbox.configure(&format!(
        r#"
        operations.name = "nb201"
        space = {{ name = "nb201", cells = 1 }}
        strategy.name = "random"
        fitness.name = "accuracy"
        data.format = "digits"
        training.epochs = 1
        budget.trials = 60
        execution = {{ workers = 1, keep_weights = "none" }}
        [[policy]]
        {policy}
        "#
    ));
    let output = sandbox.run(&["search", "search.toml"]);
    let text = text(&output);
    (sandbox, output.status.code(), text)
}

#[track_caller]
fn check_halted(rules: &str, policy: &str, expected: &str) {
    let (sandbox, code, text) = search(rules, policy);
    assert_eq!(code, Some(6), "{text}");
    let last = sandbox.events().pop();
    let Some(Event::Stopped { reason: StopReason::PolicyHalt { code, .. }, .. }) = last else {
        panic!("{last:?} {text}");
    };
    assert_eq!(code, expected);
}

#[test]
fn a_search_whose_trials_fail_is_halted_as_an_anomaly() {
    check_halted("nan", "name = \"anomaly\"\nwindow = 10", "failure_rate");
}

#[test]
fn an_honest_search_is_no_anomaly() {
    let (_, code, text) = search("", "name = \"anomaly\"\nwindow = 10");
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_condition_on_results_refuses_them_and_asks_before_it_reads() {
    let condition = r#"conditions = [{ code = "slow", on = "review", action = "reject",
        when = "outcome == 'finished' && measurements.validation_accuracy > 0.2" }]"#;
    let (sandbox, _, text) = search("nan@1%3", &format!("name = \"rules\"\n{condition}"));
    let refused = sandbox
        .events()
        .into_iter()
        .filter(|event| matches!(event, Event::Judged { verdict, .. } if verdict.code == "slow"));
    assert!(refused.count() > 5, "{text}");
    assert!(!text.contains("condition_failed"), "{text}");
}

#[test]
fn a_condition_that_makes_no_sense_is_refused_before_anything_runs() {
    let condition =
        "conditions = [{ code = \"deep\", on = \"candidate\", when = \"cost.dept > 3\" }]";
    let (sandbox, code, text) = search("", &format!("name = \"rules\"\n{condition}"));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("there is no `dept` here"), "{text}");
    assert!(!sandbox.path("runs").exists(), "nothing ran");
    let condition = r#"conditions = [{ code = "x", on = "review",
        when = "measurements.no_such_number > 3" }]"#;
    let (_, code, text) = search("", &format!("name = \"rules\"\n{condition}"));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no_such_number"), "{text}");
}
