//! The strategy of the second half of a one-shot run: it proposes a fixed list.

use std::collections::VecDeque;

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Proposal, Trial};

use crate::journal::SearchEnd;

/// Proposes the derived genotypes, best first, and then the random ones, so that all of them pass
/// the same gate and are trained alike.
#[derive(Debug, Default)]
pub struct Listed {
    left: VecDeque<Genotype>,
    reason: String,
}

impl Listed {
    /// The list that a one-shot search ended with; `derive` says how many of the derived ones are
    /// trained.
    #[must_use]
    pub fn new(end: &SearchEnd, derive: usize) -> Self {
        let derived = n_derived(end, derive);
        let random = end.baseline.iter().map(|random| random.genotype.clone());
        let left: VecDeque<Genotype> =
            end.genotypes.iter().take(derived).cloned().chain(random).collect();
        let reason =
            format!("{derived} derived and {} random genotypes were trained", end.baseline.len());
        Self { left, reason }
    }
}

/// How many of the first trials of such a run are derived genotypes; the rest are random ones.
#[must_use]
pub fn n_derived(end: &SearchEnd, derive: usize) -> usize {
    end.genotypes.len().min(derive)
}

impl SearchStrategy for Listed {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let n = slots.min(self.left.len());
        let proposals: Vec<Proposal> = self.left.drain(..n).map(Proposal::from).collect();
        Ok(match proposals.is_empty() {
            true => Ask::Done { reason: self.reason.clone() },
            false => Ask::Proposals(proposals),
        })
    }

    fn tell(&mut self, _: &[Trial]) -> Result<(), PluginError> {
        Ok(())
    }
}
