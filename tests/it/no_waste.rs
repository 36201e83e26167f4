//! Nothing is trained twice unless asked, and a used-up space ends a search with that reason.

use nas_core::journal::{Event, StopReason};
use nas_plugin_api::trial::Outcome;

use crate::support::{Sandbox, text};

/// Two networks, each in two ways: nodes 1 and 2 have changed places; what leads to no output is
/// another.
const LIST: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "list", genotypes = [
  "edge_0_1=nor_conv_3x3,edge_0_2=nor_conv_1x1,edge_1_2=none,edge_0_3=none,edge_1_3=avg_pool_3x3,edge_2_3=skip_connect",
  "edge_0_1=nor_conv_1x1,edge_0_2=nor_conv_3x3,edge_1_2=none,edge_0_3=none,edge_1_3=skip_connect,edge_2_3=avg_pool_3x3",
  "edge_0_1=nor_conv_3x3,edge_0_2=none,edge_1_2=none,edge_0_3=nor_conv_3x3,edge_1_3=none,edge_2_3=none",
  "edge_0_1=none,edge_0_2=avg_pool_3x3,edge_1_2=nor_conv_1x1,edge_0_3=nor_conv_3x3,edge_1_3=none,edge_2_3=none",
] }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 1
execution = { workers = 2 }
"#;

/// Three networks: one layer of three widths.
const THREE: &str = r#"
operations.name = "basic"
space = { name = "layer-widths", form = "mlp", min_layers = 1, max_layers = 1, widths = [4, 8, 16] }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 1
execution = { workers = 2, max_duplicates = 20 }
"#;

/// Networks that were trained; what is looked at untrained is no training.
fn trained(events: &[Event]) -> usize {
    let is_trained = |event: &&Event| matches!(event, Event::Ended { result, .. } if result.outcome == Outcome::Finished);
    events.iter().filter(is_trained).count()
}

#[test]
fn equal_networks_are_trained_once_unless_asked() {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(LIST);
    let printed = text(&sandbox.search(&[]));
    assert_eq!(trained(&sandbox.events()), 2, "{printed}");
    assert!(printed.contains("2 duplicate, 2 finished"), "{printed}");
    let asked = Sandbox::with_fake_worker("");
    asked.configure(LIST);
    asked.search(&["--set", "execution.reuse_results=false"]);
    assert_eq!(trained(&asked.events()), 4);
}

#[track_caller]
fn check_used_up(strategy: &str, expected: &str) {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(&format!("strategy = {strategy}\n{THREE}"));
    let printed = text(&sandbox.search(&[]));
    assert!(printed.contains(expected), "{strategy}: {printed}");
    let events = sandbox.events();
    assert_eq!(trained(&events), 3, "{strategy}: {printed}");
    let Some(Event::Stopped { reason, .. }) =
        events.iter().rev().find(|event| matches!(event, Event::Stopped { .. }))
    else {
        panic!("it did not stop: {printed}");
    };
    assert!(matches!(reason, StopReason::StrategyDone { .. } | StopReason::OnlyDuplicates { .. }));
}

#[test]
fn a_used_up_space_ends_the_search_with_that_reason() {
    let used_up = "the space is used up after 3 genotypes";
    for name in ["random", "local-search", "nsga2", "tpe", "bananas", "asha", "bohb", "portfolio"] {
        check_used_up(&format!("{{ name = \"{name}\" }}"), used_up);
    }
    let duplicates = "the last 20 proposals were duplicates: nothing new is left";
    check_used_up("{ name = \"regularized-evolution\" }", duplicates);
    check_used_up("{ name = \"random\", duplicates = \"allowed\" }", duplicates);
}
