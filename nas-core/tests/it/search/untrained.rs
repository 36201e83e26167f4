//! Proposals of untrained networks are told zero-cost proxies, and cost no trial.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nas_core::executor::InstantExecutor;
use nas_core::journal::{Event, MemoryLog};
use nas_core::plugin::{CallError, Timed};
use nas_core::search::{NoTraining, Search, Silent, StopSignal};
use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};
use serde_json::json;

use super::{budget, ledger, parts, settings};

/// Measures a network untrained, twice, and then trains it and four others.
struct Looking {
    left: Vec<Proposal>,
    told: Arc<Mutex<Vec<Trial>>>,
}

impl SearchStrategy for Looking {
    fn ask(&mut self, _slots: usize) -> Result<Ask, PluginError> {
        Ok(match self.left.is_empty() {
            true => Ask::Done { reason: "that was all".to_owned() },
            false => Ask::Proposals(vec![self.left.remove(0)]),
        })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.told.lock().unwrap().extend_from_slice(trials);
        Ok(())
    }
}

/// What is told, and the journal, where the run has these proxies and allows two trials.
fn run(proxies: &[&str]) -> (Vec<Trial>, Vec<Event>) {
    let nothing_is_reviewed = json!([{"name": "limits", "max_parameters": 10_000_000}]);
    let settings =
        settings(json!({"name": "random"}), &[budget(2), ("policy", nothing_is_reviewed)]);
    let mut parts = parts(&settings);
    parts.proxies = proxies.iter().map(|&name| name.to_owned()).collect();
    let network = |value| Proposal::from(Genotype(vec![value; 6]));
    let untrained = network(3).at(Fidelity::UNTRAINED);
    let mut left = vec![untrained.clone(), untrained];
    left.extend([3, 2, 1, 4].map(network));
    let told: Arc<Mutex<Vec<Trial>>> = Arc::default();
    let strategy = Looking { left, told: Arc::clone(&told) };
    parts.strategy = Timed::create::<CallError>("looking", Duration::from_secs(5), || {
        Ok(Box::new(strategy) as Box<dyn SearchStrategy>)
    })
    .unwrap();
    let executor = InstantExecutor::measuring(1, |job| match job.work.epochs {
        0 => Measurements::from([("synflow", 40.0)]),
        _ => Measurements::from([("validation_accuracy", 0.5)]),
    });
    let (mut log, mut silent) = (MemoryLog::default(), Silent);
    let summary = Search::new(
        &settings,
        parts,
        ledger(&settings),
        &mut log,
        Box::new(executor),
        Box::new(NoTraining),
        &mut silent,
        StopSignal::default(),
    )
    .run()
    .unwrap();
    assert_eq!(summary.spent.trials, 2);
    let told = told.lock().unwrap().clone();
    (told, log.events().to_vec())
}

#[test]
fn proxies_are_told_and_journalled_and_the_budget_of_trials_is_for_trainings() {
    let (told, events) = run(&["synflow"]);
    let outcomes: Vec<Outcome> = told.iter().map(|trial| trial.outcome).collect();
    assert_eq!(outcomes[..2], [Outcome::Untrained; 2]);
    assert_eq!(outcomes[2..4], [Outcome::Finished; 2]);
    for trial in &told[..2] {
        assert_eq!(trial.measurements, Measurements::from([("synflow", 40.0)]));
        assert!(trial.objectives.is_empty());
    }
    let dispatched = events.iter().filter(|event| matches!(event, Event::Dispatched { .. }));
    assert_eq!(dispatched.count(), 3, "the same network is measured once");
    let champion = events.iter().find_map(|event| match event {
        Event::Stopped { champion, .. } => *champion,
        _ => None,
    });
    assert_eq!(champion, Some(2));
}

#[test]
fn without_proxies_such_a_proposal_is_invalid() {
    let (told, _) = run(&[]);
    assert_eq!([told[0].outcome, told[1].outcome], [Outcome::Invalid; 2]);
    assert!(told[0].reason.as_deref().unwrap().contains("measures no untrained networks"));
    assert_eq!(told[2].outcome, Outcome::Finished);
}
