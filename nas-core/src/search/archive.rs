//! Networks that were met before.

use std::collections::HashMap;
use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::CanonicalHash;
use nas_plugin_api::trial::{Fidelity, Outcome, TrialId};
use xxhash_rust::xxh3::xxh3_128;

use crate::journal::TrialResult;

/// Finds networks that were evaluated before, or are being evaluated, at the same fidelity.
#[derive(Default)]
pub(super) struct Archive {
    met: HashMap<Key, Met>,
    followers: HashMap<TrialId, Vec<TrialId>>,
}

/// What makes two evaluations the same (recipe, data and run are the same within one search).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    network: u128,
    epochs: u32,
    data_fraction: u64,
}

impl Key {
    /// Evaluations of the same network at the same fidelity.
    pub(super) fn of_network(canonical: CanonicalHash, fidelity: &Fidelity) -> Self {
        Self::new(canonical.0, fidelity)
    }

    /// Evaluations of the same genotype at the same fidelity.
    pub(super) fn of_genotype(genotype: &Genotype, fidelity: &Fidelity) -> Self {
        let bytes: Vec<u8> = genotype.0.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(xxh3_128(&bytes), fidelity)
    }

    fn new(network: u128, fidelity: &Fidelity) -> Self {
        let (epochs, data_fraction) = (fidelity.epochs, fidelity.data_fraction.to_bits());
        Self { network, epochs, data_fraction }
    }
}

/// A network that was met.
pub(super) enum Met {
    /// It is being evaluated.
    Pending(TrialId),
    /// This is its result.
    Known(TrialId, Arc<TrialResult>),
}

impl Archive {
    /// What is known of an evaluation.
    pub(super) fn find(&self, key: &Key) -> Option<&Met> {
        self.met.get(key)
    }

    /// An evaluation begins.
    pub(super) fn begin(&mut self, key: Key, trial: TrialId) {
        self.met.insert(key, Met::Pending(trial));
    }

    /// Another trial waits for the result of the one that is under way.
    pub(super) fn follow(&mut self, trial: TrialId, follower: TrialId) {
        self.followers.entry(trial).or_default().push(follower);
    }

    /// An evaluation is over; returns the trials that waited for it.
    ///
    /// What depends on the moment (a dead worker, a time limit) is not kept: the network may be
    /// tried again.
    pub(super) fn end(
        &mut self,
        key: Key,
        trial: TrialId,
        result: &Arc<TrialResult>,
    ) -> Vec<TrialId> {
        let lasting = !matches!(
            result.outcome,
            Outcome::Failed | Outcome::TimedOut | Outcome::Stopped | Outcome::OutOfMemory
        );
        match lasting {
            true => self.met.insert(key, Met::Known(trial, Arc::clone(result))),
            false => self.met.remove(&key),
        };
        self.followers.remove(&trial).unwrap_or_default()
    }
}

/// The result of a trial whose network was evaluated as another trial.
pub(super) fn repeated(trial: TrialId, result: &TrialResult) -> TrialResult {
    let outcome = match result.outcome {
        Outcome::Finished => Outcome::Duplicate,
        other => other,
    };
    let reason = match &result.reason {
        Some(reason) => format!("the same network as trial {trial}: {reason}"),
        None => format!("the same network as trial {trial}"),
    };
    TrialResult { outcome, duplicate_of: Some(trial), reason: Some(reason), ..result.clone() }
}
