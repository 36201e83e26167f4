//! The strategy.

use std::collections::HashSet;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator, normal};
use nas_plugin_api::trial::Trial;

use crate::path_encoding::{Encoding, Paths};
use crate::predictor::{Predictor, Training};

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;
/// Most paths that are told apart.
const MAX_FEATURES: usize = 300;
/// Examples of a step of the networks' training.
const BATCH_SIZE: usize = 32;

nas_plugin_api::configuration! {
    /// Settings of BANANAS.
    pub struct BananasConfig {
        /// Random genotypes in the beginning.
        #[schemars(range(min = 2, max = 10_000))]
        pub starts: usize = 10_usize,
        /// Genotypes that are proposed before the ensemble is trained again.
        #[schemars(range(min = 1, max = 10_000))]
        pub batch: usize = 10_usize,
        /// Mutants among which those are chosen.
        #[schemars(range(min = 1, max = 100_000))]
        pub candidates: usize = 100_usize,
        /// Genotypes that are mutated, the best so far.
        #[schemars(range(min = 1, max = 1000))]
        pub parents: usize = 5_usize,
        /// Probability with which each choice of a mutant is changed.
        #[schemars(range(min = 0.001, max = 1.0))]
        pub mutation_rate: f64 = 0.25,
        /// Networks of the ensemble.
        #[schemars(range(min = 2, max = 100))]
        pub ensemble: usize = 5_usize,
        /// Hidden layers of each.
        #[schemars(range(min = 1, max = 100))]
        pub layers: usize = 10_usize,
        /// Units of each layer.
        #[schemars(range(min = 1, max = 1000))]
        pub width: usize = 20_usize,
        /// Epochs of their training.
        #[schemars(range(min = 1, max = 10_000))]
        pub epochs: usize = 150_usize,
    }
}

/// Mutates the best, and takes the mutants that an ensemble thinks best in one random draw each.
///
/// # Source
/// White, Neiswanger, Savani. BANANAS: Bayesian optimization with neural architectures for neural
/// architecture search. AAAI 2021; constants from `naszilla/bananas`: nas_algorithms.py,
/// acquisition_functions.py (independent Thompson sampling), meta_neural_net.py.
/// Differs: networks predict results with mean 0 and deviation 1; paths that occur in no result are
/// left out of the encoding; the best five are mutated from the start.
pub struct Bananas {
    config: BananasConfig,
    context: StrategyContext,
    rng: Generator,
    mutation: Mutation,
    paths: Paths,
    /// Normalised genotypes.
    proposed: HashSet<Genotype>,
    /// What has a result.
    observed: Vec<(Genotype, f64)>,
    /// Chosen by the ensemble and not proposed yet, the best last.
    chosen: Vec<Genotype>,
}

impl Component for Bananas {
    const NAME: &'static str = "bananas";
    const SUMMARY: &'static str = "an ensemble of neural networks predicts results from paths";
    type Config = BananasConfig;
    type Context = StrategyContext;

    fn create(config: BananasConfig, context: StrategyContext) -> Result<Self, PluginError> {
        Ok(Self {
            rng: generator(context.seed),
            mutation: Mutation::new(&context.space),
            paths: Paths::new(&context.space),
            proposed: HashSet::new(),
            observed: Vec::new(),
            chosen: Vec::new(),
            config,
            context,
        })
    }
}

impl SearchStrategy for Bananas {
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
            let gain = self.context.gain(trial);
            if gain.is_finite() {
                self.observed.push((trial.proposal.genotype.clone(), gain));
            }
        }
        Ok(())
    }
}

impl Bananas {
    /// The next of those that were chosen, or else a random genotype, if there is a new one.
    fn next_genotype(&mut self) -> Result<Option<Genotype>, PluginError> {
        if self.chosen.is_empty() && self.observed.len() >= self.config.starts {
            self.chosen = self.choose()?;
        }
        while let Some(genotype) = self.chosen.pop() {
            if self.is_new(&genotype) {
                return Ok(Some(genotype));
            }
        }
        for _ in 0..TRIES {
            let genotype = random_genotype(&self.context.space, &mut self.rng)?;
            if self.is_new(&genotype) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    fn is_new(&self, genotype: &Genotype) -> bool {
        !self.proposed.contains(&self.context.space.normalize(genotype))
    }

    /// The mutants that are thought best, the best last.
    fn choose(&mut self) -> Result<Vec<Genotype>, PluginError> {
        let known: Vec<_> = self.observed.iter().map(|(seen, _)| self.paths.of(seen)).collect();
        let encoding = Encoding::new(known.iter(), MAX_FEATURES);
        let Some(targets) = standardized(&self.observed) else { return Ok(Vec::new()) };
        if encoding.n() == 0 {
            return Ok(Vec::new());
        }
        let inputs: Vec<Vec<f32>> = known.iter().map(|paths| encoding.encode(paths)).collect();
        let BananasConfig { layers, width, epochs, ensemble, .. } = self.config;
        let training =
            Training { layers, width, epochs, batch_size: BATCH_SIZE, learning_rate: 0.01 };
        let networks: Vec<Predictor> = (0..ensemble)
            .map(|_| Predictor::trained(&inputs, &targets, training, &mut self.rng))
            .collect();
        let mut drawn: Vec<(f64, Genotype)> = Vec::new();
        for candidate in self.candidates()? {
            let input = encoding.encode(&self.paths.of(&candidate));
            let predictions = networks.iter().map(|network| f64::from(network.predict(&input)));
            let mean = predictions.clone().sum::<f64>() / ensemble as f64;
            let variance =
                predictions.map(|one| (one - mean).powi(2)).sum::<f64>() / ensemble as f64;
            drawn.push((mean + variance.sqrt() * normal(&mut self.rng), candidate));
        }
        drawn.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        drawn.truncate(self.config.batch);
        Ok(drawn.into_iter().rev().map(|(_, genotype)| genotype).collect())
    }

    /// New mutants of the best, each once.
    fn candidates(&mut self) -> Result<Vec<Genotype>, PluginError> {
        let mut best: Vec<usize> = (0..self.observed.len()).collect();
        best.sort_by(|&a, &b| self.observed[b].1.total_cmp(&self.observed[a].1));
        best.truncate(self.config.parents);
        let mut met = HashSet::new();
        let mut candidates = Vec::with_capacity(self.config.candidates);
        // As many draws again, since many mutants are known.
        for draw in 0..4 * self.config.candidates {
            let parent = &self.observed[best[draw % best.len()]].0;
            let rate = self.config.mutation_rate;
            let mutant = self.mutation.each_choice(parent, rate, &mut self.rng)?;
            let normal_form = self.context.space.normalize(&mutant);
            if candidates.len() < self.config.candidates
                && !self.proposed.contains(&normal_form)
                && met.insert(normal_form)
            {
                candidates.push(mutant);
            }
        }
        Ok(candidates)
    }
}

/// Results with mean 0 and deviation 1; absent where all are equal.
fn standardized(observed: &[(Genotype, f64)]) -> Option<Vec<f32>> {
    let n = observed.len() as f64;
    let mean = observed.iter().map(|(_, gain)| gain).sum::<f64>() / n;
    let variance = observed.iter().map(|(_, gain)| (gain - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt();
    (deviation > 0.0 && deviation.is_finite())
        .then(|| observed.iter().map(|(_, gain)| ((gain - mean) / deviation) as f32).collect())
}
