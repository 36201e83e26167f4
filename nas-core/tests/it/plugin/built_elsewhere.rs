//! Plugins that were built outside of this repository, perhaps by another compiler.

use std::path::Path;

use nas_core::plugin::{Registry, check_config};
use nas_plugin_api::component::{Ask, ComponentKind};
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, Trial, TrialId};
use serde_json::Map;

use super::fixture::{Folders, context};

/// Runs every strategy of the libraries that `NAS_TEST_PLUGINS` names (a list separated by
/// colons); without it, there is nothing to test.
#[test]
fn strategies_of_other_compilers_run() {
    let Some(libraries) = std::env::var_os("NAS_TEST_PLUGINS") else { return };
    for library in std::env::split_paths(&libraries) {
        for (name, n_genotypes) in run_strategies(&library) {
            println!("{}: `{name}` proposed {n_genotypes} genotypes", library.display());
        }
    }
}

/// Runs a library's strategies; how many genotypes each proposed.
fn run_strategies(library: &Path) -> Vec<(String, TrialId)> {
    let folders = Folders::new();
    let mut registry = Registry::linked_in(folders.places.clone());
    registry.add_library(library).unwrap_or_else(|error| panic!("{error}"));
    let loaded = registry.components().iter().filter(|known| {
        let is_loaded = known.source.to_string().contains(&library.display().to_string());
        is_loaded && known.info.kind == ComponentKind::Strategy
    });
    let mut proposed = Vec::new();
    for known in loaded {
        let config = check_config(&known.info, &Map::new()).expect("defaults are possible");
        let name = &known.info.name;
        let mut strategy = registry.strategy(name, &config, &context()).expect("a strategy");
        let mut first = 0;
        for _ in 0..10 {
            let Ask::Proposals(proposals) = strategy.ask(2).expect("an answer") else { break };
            let trials: Vec<Trial> =
                (first..).zip(proposals).map(|(id, proposal)| finished(id, proposal)).collect();
            first += trials.len() as TrialId;
            strategy.tell(&trials).expect("it takes trials");
        }
        assert!(first > 0, "{name} proposed nothing");
        proposed.push((name.clone(), first));
    }
    assert!(!proposed.is_empty(), "{} has no strategy", library.display());
    proposed
}

fn finished(id: TrialId, proposal: Proposal) -> Trial {
    Trial {
        id,
        proposal,
        outcome: Outcome::Finished,
        objectives: vec![0.5 + id as f64 / 100.0],
        measurements: Measurements::default(),
        cost: Cost::default(),
        reason: None,
    }
}
