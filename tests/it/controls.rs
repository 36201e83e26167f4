//! Controls of a result: what they cost, and what they find.

use nas_core::journal::{ControlKind, Event};
use serde_json::Value;

use crate::support::{Sandbox, rigged_digits, text};

/// A search whose trials are made up.
fn made_up(more: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(&format!(
        r#"
        operations.name = "nb201"
        space = {{ name = "nb201", cells = 1 }}
        strategy.name = "random"
        fitness.name = "accuracy"
        data.format = "digits"
        training.epochs = 2
        budget.trials = 20
        execution.workers = 2
        {more}
        "#
    ));
    sandbox
}

/// Kinds of the controls that came to something, sorted.
fn made(events: &[Event]) -> Vec<ControlKind> {
    let is_made = |number: u64| {
        events.iter().any(|event| {
            matches!(event, Event::ControlEnded { number: n, measurements: Some(_), .. } if *n == number)
        })
    };
    let kind = |event: &Event| match event {
        Event::ControlDispatched(control) if is_made(control.number) => Some(control.kind),
        _ => None,
    };
    let mut kinds: Vec<ControlKind> = events.iter().filter_map(kind).collect();
    kinds.sort();
    kinds
}

fn spent_trials(sandbox: &Sandbox) -> u64 {
    let shown: Value =
        serde_json::from_slice(&sandbox.run(&["show", "last", "--json"]).stdout).unwrap();
    shown["spent"]["trials"].as_u64().unwrap()
}

#[test]
fn a_search_leaves_budget_for_the_controls_that_are_wanted() {
    let sandbox = made_up("controls = { seeds = 2, random = 3, shuffled_labels = true }");
    let printed = text(&sandbox.search(&[]));
    let events = sandbox.events();
    let trained = events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
    assert_eq!(trained, 14, "{printed}");
    use ControlKind::{Random, Seed, ShuffledLabels};
    assert_eq!(made(&events), [Seed, Seed, Random, Random, Random, ShuffledLabels]);
    assert_eq!(spent_trials(&sandbox), 20);
    assert!(!printed.contains("not run"), "{printed}");
    // The made-up worker knows nothing of labels: that is what a pipeline looks like that leaks.
    assert!(printed.contains("it does not fall to chance"), "{printed}");
}

#[test]
fn controls_of_a_run_that_is_over_never_pass_its_budget() {
    let sandbox = made_up("");
    let printed = text(&sandbox.search(&[]));
    assert!(printed.contains("not run: `nas controls"), "{printed}");
    let printed = text(&sandbox.run(&["controls", "last"]));
    assert!(printed.contains("not run: the budget of trials is spent"), "{printed}");
    assert_eq!((made(&sandbox.events()).len(), spent_trials(&sandbox)), (0, 20));
    let output = sandbox.run(&["controls", "last", "--set", "budget.trials=24"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!((made(&sandbox.events()).len(), spent_trials(&sandbox)), (4, 24));
    let output = sandbox.run(&["controls", "last", "--set", "budget.trials=100"]);
    assert!(!text(&output).contains("not run"), "{}", text(&output));
    assert_eq!((made(&sandbox.events()).len(), spent_trials(&sandbox)), (7, 27));
    sandbox.run(&["controls", "last"]);
    assert_eq!(spent_trials(&sandbox), 27, "nothing is made twice");
}

#[test]
fn a_run_goes_on_after_its_controls() {
    let sandbox = made_up("");
    sandbox.search(&["--set", "budget.trials=10"]);
    sandbox.run(&["controls", "last", "--set", "budget.trials=17"]);
    let output = sandbox.run(&["resume", "last", "--set", "budget.trials=25"]);
    assert!(output.status.success(), "{}", text(&output));
    let events = sandbox.events();
    let trained = events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
    assert_eq!((trained, spent_trials(&sandbox)), (18, 25));
}

#[test]
fn controls_that_leave_no_trial_or_train_nothing_are_refused() {
    let sandbox = made_up("");
    let check = |set: &str| sandbox.run(&["check", "search.toml", "--set", set]);
    let output = check("controls.random=20");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("leave nothing of 20 trials"), "{}", text(&output));
}

/// Real training on labels that belong to other images. The search finds a best network all the
/// same; trained again, it is as good as any.
#[test]
fn a_search_on_noise_is_caught_by_the_noise_floor() {
    let sandbox = Sandbox::with_real_worker();
    rigged_digits::write_unlearnable(&sandbox.path("noise.npz"));
    sandbox.configure(
        r#"
        operations.name = "nb201"
        space = { name = "nb201", channels = 4, cells = 1 }
        strategy = { name = "regularized-evolution", population = 5, sample_size = 3 }
        fitness.name = "accuracy"
        data = { format = "npz", path = "noise.npz", validation_fraction = 0.04 }
        training = { epochs = 1, batch_size = 64, learning_rate = 0.05 }
        budget = { trials = 47 }
        controls = { seeds = 3, random = 3, shuffled_labels = true }
        execution = { workers = 2, deterministic = true }
        "#,
    );
    let printed = text(&sandbox.search(&[]));
    assert!(printed.contains("not above the noise of training"), "{printed}");
    assert!(printed.contains("it falls to chance, as it must"), "{printed}");
}
