//! Bracket after bracket.

use nas_plugin_api::component::{Ask, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::bracket::{Bracket, Next};
use crate::levels::levels;
use crate::rung::{Entry, first_at};
use crate::sampler::{Model, Sampler};

/// Brackets without end.
pub(crate) struct Brackets {
    context: StrategyContext,
    sampler: Sampler,
    factor: u32,
    /// Epochs, rising.
    levels: Vec<u32>,
    /// The first so many of them are begun at.
    n_beginnings: usize,
    /// Brackets begun so far.
    n_begun: usize,
    /// Those that are not over, the oldest first.
    open: Vec<Bracket>,
}

impl Brackets {
    pub(crate) fn new(
        (min_epochs, factor, bracket_kinds): (u32, u32, usize),
        model: Option<Model>,
        context: StrategyContext,
    ) -> Result<Self, PluginError> {
        let levels = levels(min_epochs, context.fidelity.epochs, factor)?;
        let n_beginnings =
            if bracket_kinds == 0 { levels.len() } else { bracket_kinds.min(levels.len()) };
        let sampler = Sampler::new(&context, model);
        Ok(Self { context, sampler, factor, levels, n_beginnings, n_begun: 0, open: Vec::new() })
    }

    /// From the oldest bracket that has something to do, else from the next one; nothing where the
    /// space is used up.
    fn next_proposal(&mut self) -> Result<Option<Proposal>, PluginError> {
        let data_fraction = self.context.fidelity.data_fraction;
        let at = |epochs: u32| Fidelity { epochs, data_fraction };
        let mut place = 0;
        let mut is_used_up = false;
        while place < self.open.len() || !is_used_up {
            if place == self.open.len() {
                self.begin_bracket();
            }
            let proposal = match self.open[place].next() {
                Next::Promotion(entry, epochs) => entry.promoted_to(at(epochs)),
                Next::Draw(epochs) => match self.sampler.draw()? {
                    Some(genotype) => first_at(genotype, at(epochs)),
                    None => {
                        is_used_up = true;
                        continue;
                    }
                },
                Next::Wait => {
                    place += 1;
                    continue;
                }
                Next::Over => {
                    self.open.remove(place);
                    continue;
                }
            };
            self.open[place].begin(&proposal);
            return Ok(Some(proposal));
        }
        Ok(None)
    }

    /// The one with the most levels first, then one fewer each time, and from the start again.
    fn begin_bracket(&mut self) {
        let lowest = self.n_begun % self.n_beginnings;
        self.n_begun += 1;
        self.open.push(Bracket::new(&self.levels[lowest..], self.levels.len(), self.factor));
    }
}

impl SearchStrategy for Brackets {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals = Vec::with_capacity(slots);
        while proposals.len() < slots
            && let Some(proposal) = self.next_proposal()?
        {
            proposals.push(proposal);
        }
        let n = self.sampler.n_drawn();
        Ok(match (proposals.is_empty(), self.open.is_empty()) {
            (false, _) => Ask::Proposals(proposals),
            (true, true) => {
                Ask::Done { reason: format!("the space is used up after {n} genotypes") }
            }
            (true, false) => Ask::Wait,
        })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            let entry = Entry::new(&self.context, trial);
            if let Some(fidelity) = trial.proposal.details.fidelity
                && self.context.space.check(&entry.genotype).is_ok()
            {
                self.sampler.observe(fidelity.epochs, &entry.genotype, entry.gain);
            }
            let _ = self.open.iter_mut().any(|bracket| bracket.take(trial, &entry));
        }
        Ok(())
    }
}
