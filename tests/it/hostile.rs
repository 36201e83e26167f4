//! Plugins that try to keep a search going, or to make it look better than it is.

use nas_core::journal::{Event, StopReason};

use crate::support::{Sandbox, programs, text};

/// A search that names a fixture's component in the place of this line.
fn search(fixture: Option<&str>, line: &str, swapped: &str, more: &str) -> (Sandbox, Option<i32>) {
    let configuration = format!(
        r#"
operations.name = "nb201"
space = {{ name = "nb201", cells = 1 }}
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 1
budget.trials = 200
execution = {{ workers = 1, keep_weights = "none", plugin_seconds = 1.0 }}
{more}
"#
    );
    let mut sandbox = Sandbox::with_fake_worker("");
    if let Some(fixture) = fixture {
        let plugins = sandbox.path("plugins");
        std::fs::create_dir(&plugins).unwrap();
        let file = format!("lib{fixture}.so");
        std::fs::copy(programs().join("examples").join(&file), plugins.join(&file))
            .expect("run `make test`, which builds the fixtures");
        sandbox = sandbox.with_plugins(&plugins);
    }
    sandbox.configure(&configuration.replace(line, swapped));
    let output = sandbox.run(&["search", "search.toml"]);
    assert!(sandbox.run_folder().is_some(), "{}", text(&output));
    (sandbox, output.status.code())
}

fn reason(sandbox: &Sandbox) -> StopReason {
    match sandbox.events().pop() {
        Some(Event::Stopped { reason, .. }) => reason,
        other => panic!("it did not stop: {other:?}"),
    }
}

#[track_caller]
fn check_halted(sandbox: &Sandbox, by: &str, expected: &str) {
    match reason(sandbox) {
        StopReason::PolicyHalt { policy, code, .. } => {
            assert_eq!((policy.as_str(), code.as_str()), (by, expected));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_strategy_that_proposes_for_ever_ends_with_the_budget() {
    let (sandbox, code) = search(None, "", "", "");
    assert_eq!(code, Some(0));
    assert_eq!(reason(&sandbox), StopReason::BudgetSpent { budget: "trials".to_owned() });
}

#[test]
fn a_strategy_of_refused_candidates_only_is_ended() {
    let refuse_all = "[[policy]]\nname = \"limits\"\nmax_parameters = 1";
    let (sandbox, _) = search(None, "", "", refuse_all);
    assert_eq!(reason(&sandbox), StopReason::OnlyRefusals { count: 1000 });
    let runaway = "[[policy]]\nname = \"runaway\"";
    let (sandbox, code) = search(None, "", "", &format!("{refuse_all}\n{runaway}"));
    assert_eq!(code, Some(6));
    check_halted(&sandbox, "runaway", "proposal_rate");
    let events = sandbox.events();
    assert!(!events.iter().any(|event| matches!(event, Event::Dispatched { .. })));
}

#[test]
fn a_fitness_whose_scores_grow_for_ever_is_halted() {
    let line = r#"fitness.name = "accuracy""#;
    let growing = r#"fitness.name = "growing""#;
    let policy = "[[policy]]\nname = \"runaway\"";
    let (sandbox, code) = search(Some("growing_fitness"), line, growing, policy);
    assert_eq!(code, Some(6));
    check_halted(&sandbox, "runaway", "impossible_fitness");
    let policy = format!("{policy}\nhighest_possible = 1e300");
    let (sandbox, _) = search(Some("growing_fitness"), line, growing, &policy);
    check_halted(&sandbox, "runaway", "runaway");
}

#[test]
fn a_policy_that_hangs_halts_the_search() {
    let policy = "[[policy]]\nname = \"hanging\"";
    let (sandbox, code) = search(Some("hanging_policy"), "", "", policy);
    assert_eq!(code, Some(6));
    match reason(&sandbox) {
        StopReason::PolicyHalt { policy, reason, .. } => {
            assert!(policy == "hanging" && reason.contains("did not answer"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}
