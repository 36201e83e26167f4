//! A supernet is trained, a strategy that evaluates single networks searches on its weights, and
//! what it finds is trained from scratch at another scale.

use nas_core::journal::Event;
use nas_plugin_api::measurement::names;

use crate::support::{Sandbox, scores, text};

const COMMON: &str = r#"
operations.name = "nb201"
space = { name = "nb201", channels = 4, cells = 1 }
fitness.name = "accuracy"
"#;

const SUPERNET: &str = r#"
name = "supernet"
strategy = { name = "spos", epochs = 6, batch_size = 64, population = 4, generations = 1, parents = 2, mutants = 2, crossovers = 1, recalibration_batches = 2, validation_batches = 2 }
supernet = { threads = 1, baseline = 0 }
data.format = "digits"
training = { epochs = 1, batch_size = 64 }
execution = { workers = 1 }
"#;

const SEARCH: &str = r#"
name = "inherits"
strategy = { name = "regularized-evolution", population = 6, sample_size = 3 }
inherit = { run = "supernet_run", recalibration_batches = 4 }
data.format = "digits"
training = { batch_size = 64 }
budget.trials = 20
execution = { workers = 2, deterministic = true }
"#;

/// With a supernet that is trained.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_real_worker();
    sandbox.configure(&[COMMON, SUPERNET].concat());
    sandbox.search(&[]);
    std::fs::rename(sandbox.run_folder().unwrap(), sandbox.path("supernet_run")).unwrap();
    sandbox.configure(&[COMMON, SEARCH].concat());
    sandbox
}

#[test]
fn a_strategy_searches_on_inherited_weights_and_its_best_is_trained_from_scratch() {
    let sandbox = sandbox();
    let printed = text(&sandbox.search(&[]));
    assert!(printed.contains("on inherited weights"), "{printed}");
    assert!(printed.contains("nas retrain"), "{printed}");
    let events = sandbox.events();
    let found = scores(&events);
    assert_eq!(found.len(), 20);
    let best = found.iter().map(|(_, score)| score[0]).fold(0.0, f64::max);
    assert!(best > 0.3, "far above chance: {found:?}");
    // Nothing was trained, kept, or read from the holdout.
    let trained = events.iter().any(|event| {
        matches!(event, Event::Ended { result, .. }
            if result.measurements.get(names::TRAIN_LOSS).is_some())
    });
    assert!(!trained && !events.iter().any(|event| matches!(event, Event::Audited { .. })));
    assert!(!sandbox.run_folder().unwrap().join("trials/0/weights.safetensors").exists());

    sandbox.search(&[]);
    assert_eq!(scores(&sandbox.events()), found);
    sandbox.search(&["--set", "budget.trials=8"]);
    let resumed = sandbox.run(&["resume", "last", "--set", "budget.trials=20"]);
    assert!(resumed.status.success(), "{}", text(&resumed));
    assert_eq!(scores(&sandbox.events()).len(), 20);

    let scale = ["--set", "space.cells=2", "--set", "space.channels=8"];
    let output = sandbox.run(&[&["retrain", "last"], scale.as_slice()].concat());
    assert!(output.status.success(), "{}", text(&output));
    let events = sandbox.events();
    let trained: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Ended { result, .. } => Some(&result.measurements),
            _ => None,
        })
        .collect();
    assert_eq!(trained.len(), 1, "one network, trained once");
    assert!(trained[0].get(names::TRAIN_LOSS).is_some());
    assert!(events.iter().any(|event| matches!(event, Event::Audited { .. })));
    let page = text(&output);
    assert!(page.contains("strategy list") && page.contains("inherits-retrained"), "{page}");
}

#[test]
fn what_can_t_be_inherited_is_refused_before_anything_runs() {
    let sandbox = sandbox();
    let refused = |set: &[&str], words: &[&str]| {
        let output = sandbox.run(&[&["check", "search.toml"], set].concat());
        let printed = text(&output);
        assert_eq!(output.status.code(), Some(2), "{printed}");
        for word in words {
            assert!(printed.contains(word), "no `{word}` in {printed}");
        }
    };
    refused(&["--set", "inherit.run=nowhere"], &["inherit.run", "no run `nowhere`"]);
    refused(&["--set", "inherit.epoch=99"], &["inherit.epoch", "0 to 6"]);
    let other = "space.operations=[\"none\",\"skip_connect\"]";
    refused(&["--set", other], &["other choices in its space"]);
    refused(&["--set", "data.validation_fraction=0.3"], &["other training or validation images"]);
    refused(&["--set", "strategy={name=\"darts\"}"], &["trains a supernet itself"]);

    let search = sandbox.search(&["--set", "budget.trials=1"]);
    assert!(search.status.success());
    refused(&["--set", "inherit.run=last"], &["trained no supernet", "regularized-evolution"]);

    let checkpoints = sandbox.path("supernet_run/checkpoints");
    for entry in std::fs::read_dir(checkpoints).unwrap() {
        std::fs::write(entry.unwrap().path(), "other bytes").unwrap();
    }
    refused(&[], &["it was changed"]);
}
