//! `asha`: successive halving that never waits.

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::levels::levels;
use crate::rung::{Entry, best, first_at, promote};
use crate::sampler::Sampler;

nas_plugin_api::configuration! {
    /// Settings of asynchronous successive halving.
    pub struct AshaConfig {
        /// Fewest epochs of a trial; the most are `training.epochs`.
        #[schemars(range(min = 1))]
        pub min_epochs: u32 = 1_u32,
        /// One in so many goes on, with so many times as many epochs.
        #[schemars(range(min = 2, max = 100))]
        pub factor: u32 = 3_u32,
        /// Share of new genotypes that are mutants of one that is good enough to go on; the others are
        /// random, as published.
        #[schemars(range(min = 0, max = 1))]
        pub mutation_share: f64 = 0.0,
    }
}

/// Promotes whatever is among the best of its rung; else begins another genotype.
///
/// # Source
/// Li, Jamieson, Rostamizadeh, Gonina, Ben-Tzur, Hardt, Recht, Talwalkar. A system for massively
/// parallel hyperparameter tuning. MLSys 2020, algorithm 2. There all genotypes are random. Mutants
/// are of our own; that successive halving should breed, and from the highest rung that knows
/// enough, is from Awad, Mallik, Hutter. DEHB, IJCAI 2021, section 4, where rungs are populations of
/// differential evolution.
pub struct Asha {
    config: AshaConfig,
    context: StrategyContext,
    sampler: Sampler,
    /// Epochs of each rung, and what was told of it.
    rungs: Vec<(u32, Vec<Entry>)>,
    running: usize,
}

impl Component for Asha {
    const NAME: &'static str = "asha";
    const SUMMARY: &'static str = "trains the best third further, as soon as there is one";
    type Config = AshaConfig;
    type Context = StrategyContext;

    fn create(config: AshaConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let levels = levels(config.min_epochs, context.fidelity.epochs, config.factor)?;
        Ok(Self {
            sampler: Sampler::new(&context, None),
            rungs: levels.into_iter().map(|epochs| (epochs, Vec::new())).collect(),
            running: 0,
            config,
            context,
        })
    }
}

impl SearchStrategy for Asha {
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
            if let Some((_, rung)) = self.rungs.iter_mut().find(|(level, _)| Some(*level) == epochs)
            {
                rung.push(Entry::new(&self.context, trial));
            }
        }
        Ok(())
    }
}

impl Asha {
    /// A promotion from the highest rung that has one, or else a new genotype on the lowest.
    fn next_proposal(&mut self) -> Result<Option<Proposal>, PluginError> {
        let data_fraction = self.context.fidelity.data_fraction;
        let at = |epochs: u32| Fidelity { epochs, data_fraction };
        for below in (0..self.rungs.len() - 1).rev() {
            let next = self.rungs[below + 1].0;
            let rung = &mut self.rungs[below].1;
            let n = rung.len() / self.config.factor as usize;
            if let Some(entry) = promote(rung, n, 1).pop() {
                return Ok(Some(entry.promoted_to(at(next))));
            }
        }
        let genotype = match self.sampler.is_one_of(self.config.mutation_share) {
            true => self.sampler.draw_mutant(&self.parents())?,
            false => self.sampler.draw()?,
        };
        Ok(genotype.map(|genotype| first_at(genotype, at(self.rungs[0].0))))
    }

    /// The best share, one in `factor`, of the highest rung that has one.
    fn parents(&self) -> Vec<Genotype> {
        let factor = self.config.factor as usize;
        let rungs = self.rungs.iter().rev();
        let mut best = rungs.map(|(_, rung)| best(rung, rung.len() / factor));
        best.find(|parents| !parents.is_empty()).unwrap_or_default()
    }
}
