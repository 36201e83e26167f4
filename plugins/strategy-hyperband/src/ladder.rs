//! Rungs that promote as soon as one of their trials is good enough.

use nas_plugin_api::component::{Ask, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::levels::levels;
use crate::rung::{Entry, best, first_at, promote};
use crate::sampler::{Model, Sampler};

/// Promotes whatever is among the best of its rung; else begins another genotype.
///
/// # Source
/// Li, Jamieson, Rostamizadeh, Gonina, Ben-Tzur, Hardt, Recht, Talwalkar. A system for massively
/// parallel hyperparameter tuning. MLSys 2020, algorithm 2.
pub(crate) struct Ladder {
    context: StrategyContext,
    sampler: Sampler,
    factor: u32,
    /// Share of new genotypes that are mutants of one that is good enough to go on.
    mutation_share: f64,
    /// Epochs of each rung, and what was told of it.
    rungs: Vec<(u32, Vec<Entry>)>,
    running: usize,
}

impl Ladder {
    pub(crate) fn new(
        (min_epochs, factor): (u32, u32),
        mutation_share: f64,
        model: Option<Model>,
        context: StrategyContext,
    ) -> Result<Self, PluginError> {
        let levels = levels(min_epochs, context.fidelity.epochs, factor)?;
        let sampler = Sampler::new(&context, model);
        let rungs = levels.into_iter().map(|epochs| (epochs, Vec::new())).collect();
        Ok(Self { context, sampler, factor, mutation_share, rungs, running: 0 })
    }

    /// A promotion from the highest rung that has one, or else a new genotype on the lowest.
    fn next_proposal(&mut self) -> Result<Option<Proposal>, PluginError> {
        let data_fraction = self.context.fidelity.data_fraction;
        let at = |epochs: u32| Fidelity { epochs, data_fraction };
        for below in (0..self.rungs.len() - 1).rev() {
            let next = self.rungs[below + 1].0;
            let rung = &mut self.rungs[below].1;
            let n = rung.len() / self.factor as usize;
            if let Some(entry) = promote(rung, n, 1).pop() {
                return Ok(Some(entry.promoted_to(at(next))));
            }
        }
        let genotype = match self.sampler.is_one_of(self.mutation_share) {
            true => self.sampler.draw_mutant(&self.parents())?,
            false => self.sampler.draw()?,
        };
        Ok(genotype.map(|genotype| first_at(genotype, at(self.rungs[0].0))))
    }

    /// The best share, one in `factor`, of the highest rung that has one.
    fn parents(&self) -> Vec<Genotype> {
        let factor = self.factor as usize;
        let rungs = self.rungs.iter().rev();
        let mut best = rungs.map(|(_, rung)| best(rung, rung.len() / factor));
        best.find(|parents| !parents.is_empty()).unwrap_or_default()
    }
}

impl SearchStrategy for Ladder {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals = Vec::with_capacity(slots);
        while proposals.len() < slots
            && let Some(proposal) = self.next_proposal()?
        {
            proposals.push(proposal);
        }
        self.running += proposals.len();
        let n = self.sampler.n_drawn();
        Ok(match (proposals.is_empty(), self.running) {
            (false, _) => Ask::Proposals(proposals),
            (true, 0) => Ask::Done { reason: format!("the space is used up after {n} genotypes") },
            (true, _) => Ask::Wait,
        })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.running = self.running.saturating_sub(trials.len());
        for trial in trials {
            let epochs = trial.proposal.details.fidelity.map(|fidelity| fidelity.epochs);
            let Some((level, rung)) =
                self.rungs.iter_mut().find(|(level, _)| Some(*level) == epochs)
            else {
                continue;
            };
            let entry = Entry::new(&self.context, trial);
            if self.context.space.check(&entry.genotype).is_ok() {
                self.sampler.observe(*level, &entry.genotype, entry.gain);
            }
            rung.push(entry);
        }
        Ok(())
    }
}
