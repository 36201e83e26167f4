//! A strategy that proposes a fixed list.

use std::collections::VecDeque;

use crate::component::{Ask, SearchStrategy};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::trial::{Proposal, Trial};

/// Proposes genotypes in their order, and is done when none is left.
#[derive(Clone, Debug, Default)]
pub struct GenotypeList {
    left: VecDeque<Genotype>,
    reason: String,
}

impl GenotypeList {
    /// These genotypes; `reason` is what a search that ends behind them says.
    #[must_use]
    pub fn new(genotypes: impl IntoIterator<Item = Genotype>, reason: String) -> Self {
        Self { left: genotypes.into_iter().collect(), reason }
    }
}

impl SearchStrategy for GenotypeList {
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
