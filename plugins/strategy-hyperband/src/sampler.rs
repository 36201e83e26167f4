//! Where new genotypes come from.

use std::collections::{BTreeMap, HashSet};

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::parzen::{Parzen, likely_good};
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, IndexedRandom, RngExt, generator};

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;
/// Mutants in a row that give nothing new before a random genotype is drawn.
const MUTANTS: usize = 100;
/// Narrowest kernel (BOHB's default).
const MIN_BANDWIDTH: f64 = 1e-3;

/// Draws genotypes that were not drawn before, at random or by a model.
pub(crate) struct Sampler {
    space: Space,
    rng: Generator,
    mutation: Mutation,
    /// Normalised genotypes.
    drawn: HashSet<Genotype>,
    model: Option<Model>,
}

/// A model of what was good, as BOHB has it.
///
/// # Source
/// Falkner, Klein, Hutter. BOHB: robust and efficient hyperparameter optimization at scale. ICML
/// 2018, section 3; `automl/HpBandSter`, optimizers/config_generators/bohb.py, where options are
/// taken for numbers when kernels get their width, as here.
pub(crate) struct Model {
    /// Share of genotypes that are drawn at random nevertheless.
    pub(crate) random_share: f64,
    /// Genotypes drawn from the density of good ones, of which the likeliest is taken.
    pub(crate) candidates: usize,
    /// Share of the observations at one fidelity that count as good.
    pub(crate) good_share: f64,
    /// Fewest observations that count as good.
    pub(crate) min_points: usize,
    /// Probability that a kernel draws any option instead of its own; by the rule of thumb if none.
    pub(crate) spread: Option<f64>,
    /// By epochs, what was told, the best first.
    pub(crate) observed: BTreeMap<u32, Vec<(f64, Genotype)>>,
}

impl Sampler {
    pub(crate) fn new(context: &StrategyContext, model: Option<Model>) -> Self {
        let (space, rng) = (context.space.clone(), generator(context.seed));
        let mutation = Mutation::new(&space);
        Self { space, rng, mutation, drawn: HashSet::new(), model }
    }

    /// How many genotypes were drawn.
    pub(crate) fn n_drawn(&self) -> usize {
        self.drawn.len()
    }

    /// A genotype that was not drawn before, if there is one.
    pub(crate) fn draw(&mut self) -> Result<Option<Genotype>, PluginError> {
        for genotype in self.modelled()? {
            if self.drawn.insert(self.space.normalize(&genotype)) {
                return Ok(Some(genotype));
            }
        }
        for _ in 0..TRIES {
            let genotype = random_genotype(&self.space, &mut self.rng)?;
            if self.drawn.insert(self.space.normalize(&genotype)) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    /// Decides by chance, true for this share.
    pub(crate) fn is_one_of(&mut self, share: f64) -> bool {
        share > 0.0 && self.rng.random::<f64>() < share
    }

    /// The same, one choice away from one of these where that gives something new.
    pub(crate) fn draw_mutant(
        &mut self,
        parents: &[Genotype],
    ) -> Result<Option<Genotype>, PluginError> {
        for _ in 0..MUTANTS {
            let Some(parent) = parents.choose(&mut self.rng) else { break };
            let child = self.mutation.one_choice(parent, &mut self.rng);
            if self.drawn.insert(self.space.normalize(&child)) {
                return Ok(Some(child));
            }
        }
        self.draw()
    }

    /// Learns how a genotype did; minus infinity where its trial has no result.
    pub(crate) fn observe(&mut self, epochs: u32, genotype: &Genotype, gain: f64) {
        let Some(model) = &mut self.model else { return };
        let at = model.observed.entry(epochs).or_default();
        let place = at.partition_point(|(known, _)| *known >= gain);
        at.insert(place, (gain, genotype.clone()));
    }

    /// What the model proposes, the likeliest first; nothing where it knows too little, or where
    /// chance is to decide.
    fn modelled(&mut self) -> Result<Vec<Genotype>, PluginError> {
        let Some(model) = &self.model else { return Ok(Vec::new()) };
        // Two more, to tell good from bad.
        let fewest = model.min_points;
        let known = model.observed.values().rev().find(|known| known.len() >= fewest + 2);
        let (Some(known), true) = (known, self.rng.random::<f64>() >= model.random_share) else {
            return Ok(Vec::new());
        };
        let n = known.len();
        let n_good = ((model.good_share * n as f64) as usize).max(fewest).min(n / 2 + 1);
        let (good, bad) = known.split_at(n_good);
        let [good, bad] = [good, bad].map(|part| density(&self.space, part, model.spread));
        likely_good(&self.space, [&good, &bad], model.candidates, &mut self.rng)
    }
}

/// Kernels of this width, or as wide as the rule of thumb says: the more alike the genotypes are in a
/// choice, and the more there are, the narrower.
fn density(space: &Space, part: &[(f64, Genotype)], spread: Option<f64>) -> Parzen {
    let n = part.len() as f64;
    let scale = 1.059 * n.powf(-1.0 / (4.0 + space.n_choices() as f64));
    let bandwidth = |choice: usize| {
        let values = || part.iter().map(|(_, genotype)| f64::from(genotype.0[choice]));
        let mean = values().sum::<f64>() / n;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        (scale * variance.sqrt()).max(MIN_BANDWIDTH)
    };
    let centres = part.iter().map(|(_, genotype)| genotype.clone()).collect();
    Parzen::new(space, centres, |choice| spread.unwrap_or_else(|| bandwidth(choice)), 0.0)
}
