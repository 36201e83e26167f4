//! Proposals that want several evaluations are told their mean.

use std::time::Duration;

use nas_core::executor::InstantExecutor;
use nas_core::journal::{Event, MemoryLog};
use nas_core::plugin::{CallError, Timed};
use nas_core::search::{NoTraining, Search, Silent, StopSignal};
use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::{Proposal, Trial};
use serde_json::json;

use super::{ledger, parts, settings};

/// Proposes one network, to be evaluated three times.
struct Thrice {
    proposed: bool,
}

impl SearchStrategy for Thrice {
    fn ask(&mut self, _slots: usize) -> Result<Ask, PluginError> {
        if std::mem::replace(&mut self.proposed, true) {
            return Ok(Ask::Done { reason: "one is enough".to_owned() });
        }
        let mut proposal = Proposal::from(Genotype(vec![1; 6]));
        proposal.details.repeats = 3;
        Ok(Ask::Proposals(vec![proposal]))
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        assert_eq!(trials.len(), 1);
        Ok(())
    }
}

#[test]
fn a_trial_with_repeats_is_told_the_mean_over_different_seeds() {
    let settings = settings(json!({"name": "random"}), &[]);
    let mut parts = parts(&settings);
    parts.strategy = Timed::create::<CallError>("thrice", Duration::from_secs(5), || {
        Ok(Box::new(Thrice { proposed: false }) as Box<dyn SearchStrategy>)
    })
    .unwrap();
    let mut evaluated = 0.0;
    let executor = InstantExecutor::measuring(1, move |_| {
        evaluated += 0.1;
        Measurements::from([("validation_accuracy", evaluated)])
    });
    let (mut log, mut silent) = (MemoryLog::default(), Silent);
    Search::new(
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
    let seeds: std::collections::HashSet<u64> = log
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Dispatched { seed, .. } => Some(*seed),
            _ => None,
        })
        .collect();
    assert_eq!(seeds.len(), 3);
    let accuracy = log.events().iter().find_map(|event| match event {
        Event::Ended { result, .. } => result.measurements.get("validation_accuracy"),
        _ => None,
    });
    assert!((accuracy.unwrap() - 0.2).abs() < 1e-12, "{accuracy:?}");
}
