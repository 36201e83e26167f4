//! Components that misbehave when they are called.

use std::sync::Arc;
use std::time::Duration;

use nas_core::plugin::{CallError, PluginLoadError, Registry, Timed};
use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::{ErrorCode, PluginError};
use nas_plugin_api::graph::{GraphBuilder, Shape};
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::template::{OperationContext, Role};
use nas_plugin_api::trial::{Outcome, Trial};
use serde_json::{Value, json};

use super::fixture::{Folders, context};

fn strategy(registry: &Registry, name: &str, config: &Value) -> Box<dyn SearchStrategy> {
    registry.strategy(name, config, &context()).expect("the strategy can be made")
}

#[track_caller]
fn check_code<T>(result: Result<T, PluginError>, code: ErrorCode) {
    assert_eq!(result.map(|_| ()).map_err(|error| error.code), Err(code));
}

#[test]
fn a_panic_becomes_an_error_and_the_component_is_not_called_again() {
    for folders in Folders::isolated_and_trusted(&["panicking_strategy"]) {
        let registry = folders.scan();
        let mut panicking = strategy(&registry, "panicking", &json!({"when": "ask"}));
        let error = panicking.ask(1).expect_err("it panics");
        assert_eq!(error.code, ErrorCode::Panic);
        assert!(error.message.contains("panicked on purpose"), "{error}");
        check_code(panicking.ask(1), ErrorCode::Poisoned);
        check_code(panicking.tell(&[]), ErrorCode::Poisoned);
    }
}

#[test]
fn a_panic_is_caught_wherever_it_happens() {
    for folders in Folders::isolated_and_trusted(&["panicking_strategy"]) {
        let registry = folders.scan();
        let created = registry.strategy("panicking", &json!({"when": "create"}), &context());
        match created.err() {
            Some(PluginLoadError::Create { source, .. }) => {
                assert_eq!(source.code, ErrorCode::Panic)
            }
            other => panic!("{other:?}"),
        }
        let mut told = strategy(&registry, "panicking", &json!({"when": "tell"}));
        let trial = Trial {
            id: 0,
            proposal: nas_plugin_api::genotype::Genotype(vec![0, 0, 0]).into(),
            outcome: Outcome::Finished,
            objectives: vec![0.5],
            measurements: Measurements::default(),
            cost: Cost::default(),
            reason: None,
        };
        check_code(told.tell(&[trial]), ErrorCode::Panic);
        drop(strategy(&registry, "panicking", &json!({"when": "drop"})));
    }
}

#[test]
fn a_genotype_of_another_space_is_found_by_the_space() {
    for folders in Folders::isolated_and_trusted(&["out_of_range_strategy"]) {
        let registry = folders.scan();
        let asked = strategy(&registry, "out-of-range", &json!({})).ask(2).expect("an answer");
        let Ask::Proposals(proposals) = asked else { panic!("{asked:?}") };
        let space = context().space;
        assert_eq!(proposals.len(), 2);
        assert!(proposals.iter().all(|proposal| space.check(&proposal.genotype).is_err()));
    }
}

#[test]
fn a_score_that_is_no_number_arrives_as_such() {
    for folders in Folders::isolated_and_trusted(&["nan_fitness"]) {
        let registry = folders.scan();
        let mut fitness = registry.fitness("undefined", &json!({})).expect("a fitness");
        let scores = fitness.score(&Measurements::default(), &Cost::default()).expect("a score");
        assert!(matches!(scores.as_slice(), [score] if score.is_nan()), "{scores:?}");
    }
}

#[test]
fn a_wrong_layer_graph_is_an_error_and_no_panic() {
    for folders in Folders::isolated_and_trusted(&["invalid_graph_operations"]) {
        let registry = folders.scan();
        let operations = registry.operations("invalid-graphs", &json!({})).expect("operations");
        let shape = Shape(vec![4, 8, 8]);
        for operation in operations.operations() {
            let mut graph = GraphBuilder::new();
            let input = graph.input(shape.clone());
            let context = OperationContext {
                role: Role::Search,
                inputs: vec![shape.clone()],
                output: shape.clone(),
                stride: 1,
            };
            let built = operations.build(&operation.name, &context, &[input], &mut graph);
            assert!(built.is_err(), "{}", operation.name);
        }
    }
}

#[test]
fn a_strategy_that_hangs_is_abandoned_and_the_caller_goes_on() {
    let folders = Folders::with_trusted(&["hanging_strategy"]);
    let registry = Arc::new(folders.scan());
    let limit = Duration::from_millis(200);
    let hanging = Timed::create("hanging", limit, move || {
        registry.strategy("hanging", &json!({}), &context())
    })
    .expect("creating it is quick");
    let asked = hanging.call("ask", |strategy: &mut Box<dyn SearchStrategy>| strategy.ask(1));
    let component = "hanging".to_owned();
    assert_eq!(
        asked,
        Err(CallError::TimedOut { component: component.clone(), what: "ask", limit }),
    );
    let told = hanging.call("tell", |strategy| strategy.tell(&[]));
    assert_eq!(told, Err(CallError::Abandoned { component, what: "tell" }));
}
