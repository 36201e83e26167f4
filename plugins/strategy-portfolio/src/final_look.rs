//! The last look: what is thought best is trained for longer, and the best of it is the answer.

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::config::PortfolioConfig;

/// How far the last look is.
pub(crate) struct FinalLook {
    fidelity: Fidelity,
    after: usize,
    wanted: usize,
    looked_at: Vec<Genotype>,
    /// By network whose training ended, how good it became.
    seen: Vec<(Genotype, f64)>,
    has_answered: bool,
}

impl FinalLook {
    pub(crate) fn new(config: &PortfolioConfig) -> Self {
        Self {
            fidelity: Fidelity { epochs: config.final_look_epochs, data_fraction: 1.0 },
            after: config.final_look_after,
            wanted: config.final_look,
            looked_at: Vec::new(),
            seen: Vec::new(),
            has_answered: false,
        }
    }

    /// Whether it is to be taken, after so many results.
    pub(crate) fn is_due(&self, n_observed: usize) -> bool {
        self.wanted > 0 && n_observed >= self.after
    }

    /// The next network to train for longer, of those thought best, and in the end the answer;
    /// nothing while results are missing, and when it is over.
    pub(crate) fn next(&mut self, thought_best: &[Genotype]) -> Option<Proposal> {
        let wanted = self.wanted.min(thought_best.len().max(self.looked_at.len()));
        if self.looked_at.len() < wanted {
            let new = thought_best.iter().find(|one| !self.looked_at.contains(one))?;
            self.looked_at.push(new.clone());
            return Some(Proposal::from(new.clone()).at(self.fidelity));
        }
        if self.waits() || std::mem::replace(&mut self.has_answered, true) {
            return None;
        }
        let (best, _) = self.seen.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Proposal::from(best.clone()).as_answer())
    }

    /// Whether results are missing.
    pub(crate) fn waits(&self) -> bool {
        self.seen.len() < self.looked_at.len()
    }

    /// Takes a result, if it is one of this look.
    pub(crate) fn take(&mut self, trial: &Trial, gain: f64) -> bool {
        let Proposal { genotype, details } = &trial.proposal;
        let is_own = details.fidelity == Some(self.fidelity) && self.looked_at.contains(genotype);
        if is_own {
            self.seen.push((genotype.clone(), gain.max(f64::NEG_INFINITY)));
        }
        is_own
    }
}
