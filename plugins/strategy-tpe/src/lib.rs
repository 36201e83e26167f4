//! `tpe`: proposes what is likelier among good genotypes than among the others.
//!
//! # Source
//! Bergstra, Bardenet, Bengio, Kégl. Algorithms for hyper-parameter optimization. NeurIPS 2011,
//! section 4; constants and the weight of the prior from Optuna (`optuna/samplers/_tpe/sampler.py`,
//! `parzen_estimator.py`, multivariate). Nothing is proposed twice.

use std::collections::HashSet;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::parzen::{Parzen, likely_good};
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator};
use nas_plugin_api::trial::Trial;

nas_plugin_api::export_plugin! { strategies: [Tpe] }

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;

nas_plugin_api::configuration! {
    /// Settings of the tree-structured Parzen estimator.
    pub struct TpeConfig {
        /// Random genotypes in the beginning.
        #[schemars(range(min = 2, max = 10_000))]
        pub starts: usize = 10_usize,
        /// Genotypes drawn from the good ones' density, of which the likeliest is proposed.
        #[schemars(range(min = 1, max = 10_000))]
        pub candidates: usize = 24_usize,
        /// Share of the genotypes that count as good, rounded up.
        #[schemars(range(min = 0.001, max = 0.9))]
        pub good_share: f64 = 0.1,
        /// Most genotypes that count as good.
        #[schemars(range(min = 1, max = 10_000))]
        pub max_good: usize = 25_usize,
        /// Weight of the uniform density beside one kernel for each genotype.
        #[schemars(range(min = 0.001, max = 100.0))]
        pub prior_weight: f64 = 1.0,
    }
}

/// Proposes what is likelier among good genotypes than among the others.
pub struct Tpe {
    config: TpeConfig,
    context: StrategyContext,
    rng: Generator,
    /// Normalised genotypes.
    proposed: HashSet<Genotype>,
    /// What was told, the best first; of equals the older.
    observed: Vec<(f64, Genotype)>,
}

impl Component for Tpe {
    const NAME: &'static str = "tpe";
    const SUMMARY: &'static str = "proposes what is likelier among good genotypes than among bad";
    type Config = TpeConfig;
    type Context = StrategyContext;

    fn create(config: TpeConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let rng = generator(context.seed);
        Ok(Self { config, context, rng, proposed: HashSet::new(), observed: Vec::new() })
    }
}

impl SearchStrategy for Tpe {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals = Vec::with_capacity(slots);
        while proposals.len() < slots
            && let Some(genotype) = self.next_genotype()?
        {
            self.proposed.insert(self.context.space.normalize(&genotype));
            proposals.push(genotype.into());
        }
        let reason = format!("the space is used up after {} genotypes", self.proposed.len());
        Ok(if proposals.is_empty() { Ask::Done { reason } } else { Ask::Proposals(proposals) })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            let genotype = &trial.proposal.genotype;
            if self.context.space.check(genotype).is_ok() {
                // NaN, which would break the order, becomes the worst there is.
                let gain = self.context.gain(trial).max(f64::NEG_INFINITY);
                let place = self.observed.partition_point(|(known, _)| *known >= gain);
                self.observed.insert(place, (gain, genotype.clone()));
            }
        }
        Ok(())
    }
}

impl Tpe {
    /// The likeliest candidate that was not proposed before, or else a random genotype.
    fn next_genotype(&mut self) -> Result<Option<Genotype>, PluginError> {
        let space = &self.context.space;
        if self.observed.len() >= self.config.starts {
            let n_good = (self.config.good_share * self.observed.len() as f64).ceil() as usize;
            let n_good = n_good.clamp(1, self.config.max_good);
            let (good, bad) = self.observed.split_at(n_good.min(self.observed.len()));
            let [good, bad] = [good, bad].map(|part| self.density(part));
            let n = self.config.candidates;
            let candidates = likely_good(space, [&good, &bad], n, &mut self.rng)?;
            let is_new = |genotype: &Genotype| !self.proposed.contains(&space.normalize(genotype));
            if let Some(genotype) = candidates.into_iter().find(is_new) {
                return Ok(Some(genotype));
            }
        }
        for _ in 0..TRIES {
            let genotype = random_genotype(space, &mut self.rng)?;
            if !self.proposed.contains(&space.normalize(&genotype)) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    /// One kernel for each genotype, the narrower the more there are.
    fn density(&self, part: &[(f64, Genotype)]) -> Parzen {
        let prior = self.config.prior_weight;
        let n = part.len() as f64 + 1.0;
        // A kernel has 1 for its own option and prior / n for each, before it is normalised.
        let space = &self.context.space;
        let spread = |choice| {
            let shared = prior * space.n_options(choice) as f64 / n;
            shared / (1.0 + shared)
        };
        let centres = part.iter().map(|(_, genotype)| genotype.clone()).collect();
        Parzen::new(space, centres, spread, prior)
    }
}
