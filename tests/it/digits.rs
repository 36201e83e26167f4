//! Real training on the built-in digits.

use nas_core::journal::Event;
use nas_plugin_api::measurement::names;
use nas_plugin_api::trial::Outcome;

use crate::support::{Sandbox, text};

#[test]
fn a_search_on_digits_ends_with_an_audited_network() {
    let sandbox = Sandbox::with_real_worker();
    sandbox.configure(
        r#"
        operations.name = "nb201"
        space = { name = "nb201", channels = 8, cells = 1 }
        strategy.name = "random"
        fitness.name = "accuracy"
        data.format = "digits"
        training = { epochs = 4, batch_size = 32, learning_rate = 0.1 }
        budget.trials = 4
        execution = { workers = 2, deterministic = true }
        "#,
    );
    let output = sandbox.search(&[]);
    let events = sandbox.events();
    let finished = events.iter().filter(
        |event| matches!(event, Event::Ended { result, .. } if result.outcome.has_result()),
    );
    assert_eq!(finished.count(), 4, "{}", text(&output));
    let holdout = events.iter().find_map(|event| match event {
        Event::Audited { measurements, .. } => measurements.get(names::HOLDOUT_ACCURACY),
        _ => None,
    });
    assert!(holdout.is_some_and(|accuracy| accuracy > 0.5), "{holdout:?}");
    let shown = sandbox.run(&["show", "last"]);
    assert!(shown.status.success(), "{}", text(&shown));
    let trial = text(&sandbox.run(&["show", "last", "--trial", "0"]));
    assert!(trial.contains("log.txt"), "{trial}");
    // The weights of the best network, and of no other, are kept.
    let kept = std::fs::read_dir(sandbox.run_folder().unwrap().join("trials"))
        .unwrap()
        .filter(|trial| trial.as_ref().unwrap().path().join("weights.safetensors").exists())
        .count();
    assert_eq!(kept, 1);
}

#[test]
fn networks_are_measured_untrained_before_some_are_trained() {
    let sandbox = Sandbox::with_real_worker();
    sandbox.configure(
        r#"
        operations.name = "nb201"
        space = { name = "nb201", channels = 8, cells = 1 }
        fitness.name = "accuracy"
        data.format = "digits"
        training = { epochs = 6, batch_size = 32, learning_rate = 0.05 }
        budget.trials = 4
        execution.workers = 2
        "#,
    );
    let output = sandbox.search(&[]);
    let outcomes: Vec<Outcome> = sandbox
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Ended { result, .. } => Some(result.outcome),
            _ => None,
        })
        .collect();
    let count = |wanted: Outcome| outcomes.iter().filter(|one| **one == wanted).count();
    assert!(count(Outcome::Untrained) >= 2, "{}", text(&output));
    assert_eq!(count(Outcome::Finished), 4, "{}", text(&output));
    assert_eq!(count(Outcome::Failed), 0, "{}", text(&output));
}

#[test]
fn equal_seeds_give_equal_accuracies() {
    let accuracies = || {
        let sandbox = Sandbox::with_real_worker();
        sandbox.configure(
            r#"
            seed = 3
            operations.name = "nb201"
            space = { name = "nb201", channels = 4, cells = 1 }
            strategy.name = "random"
            fitness.name = "accuracy"
            data.format = "digits"
            training = { epochs = 1, batch_size = 64 }
            budget.trials = 3
            execution = { workers = 2, deterministic = true }
            "#,
        );
        sandbox.search(&[]);
        crate::support::scores(&sandbox.events())
    };
    assert_eq!(accuracies(), accuracies());
}
