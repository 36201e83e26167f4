//! What was evaluated at one fidelity.

use std::cmp::Ordering;

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Fidelity, Proposal, Trial, TrialId};

/// A trial that ended.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: TrialId,
    pub(crate) genotype: Genotype,
    /// Larger is better; minus infinity for a trial without a result.
    pub(crate) gain: f64,
    /// It goes on at the next fidelity.
    pub(crate) is_promoted: bool,
}

impl Entry {
    pub(crate) fn new(context: &StrategyContext, trial: &Trial) -> Self {
        Self {
            id: trial.id,
            genotype: trial.proposal.genotype.clone(),
            // NaN, which would break the order, becomes the worst there is.
            gain: context.gain(trial).max(f64::NEG_INFINITY),
            is_promoted: false,
        }
    }

    pub(crate) fn has_result(&self) -> bool {
        self.gain > f64::NEG_INFINITY
    }

    /// Training it for so many epochs in all, from where it stands.
    pub(crate) fn promoted_to(&self, fidelity: Fidelity) -> Proposal {
        let mut proposal = Proposal::from(self.genotype.clone()).with_parents(&[self.id]);
        proposal.details.fidelity = Some(fidelity);
        proposal.details.continue_from = Some(self.id);
        proposal
    }
}

/// The best first, of equals the older.
fn order(a: &Entry, b: &Entry) -> Ordering {
    b.gain.total_cmp(&a.gain).then(a.id.cmp(&b.id))
}

/// The genotypes of the best `n` that have a result.
pub(crate) fn best(entries: &[Entry], n: usize) -> Vec<Genotype> {
    let mut known: Vec<&Entry> = entries.iter().filter(|entry| entry.has_result()).collect();
    known.sort_by(|a, b| order(a, b));
    known.into_iter().take(n).map(|entry| entry.genotype.clone()).collect()
}

/// Marks the best that are not promoted yet among the best `n`, at most `most`; the best comes first,
/// of equals the older. What has no result is never promoted.
pub(crate) fn promote(entries: &mut [Entry], n: usize, most: usize) -> Vec<Entry> {
    entries.sort_by(order);
    let waiting = |entry: &&mut Entry| !entry.is_promoted && entry.has_result();
    let mut promoted = Vec::new();
    for entry in entries.iter_mut().take(n).filter(waiting).take(most) {
        entry.is_promoted = true;
        promoted.push(entry.clone());
    }
    promoted
}

/// A first proposal of a genotype.
pub(crate) fn first_at(genotype: Genotype, fidelity: Fidelity) -> Proposal {
    let mut proposal = Proposal::from(genotype);
    proposal.details.fidelity = Some(fidelity);
    proposal
}
