//! Each component of a search is swapped by one line of its configuration.

use crate::support::{Sandbox, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 1
budget.trials = 4
execution.workers = 2
[[policy]]
name = "limits"
"#;

#[track_caller]
fn check(line: &str, swapped: &str) {
    let sandbox = Sandbox::with_fake_worker("");
    assert!(CONFIGURATION.contains(line), "{line}");
    sandbox.configure(&CONFIGURATION.replace(line, swapped));
    let output = sandbox.run(&["search", "search.toml"]);
    assert!(output.status.success(), "{swapped}: {}", text(&output));
}

#[test]
fn the_operations() {
    check(r#"operations.name = "nb201""#, r#"operations.name = "basic""#);
    check(r#"operations.name = "nb201""#, r#"operations.name = "darts""#);
}

#[test]
fn the_space() {
    check(r#"space = { name = "nb201", cells = 1 }"#, r#"space.name = "layer-widths""#);
}

#[test]
fn the_strategy() {
    check(
        r#"strategy.name = "random""#,
        r#"strategy = { name = "evolution", population = 4, generations = 2 }"#,
    );
    check(r#"strategy.name = "random""#, r#"strategy.name = "regularized-evolution""#);
}

#[test]
fn the_fitness() {
    check(r#"fitness.name = "accuracy""#, r#"fitness.name = "accuracy-parameters""#);
}

#[test]
fn the_policy() {
    check(r#"name = "limits""#, r#"name = "convergence""#);
    check(r#"name = "limits""#, r#"name = "runaway""#);
}
