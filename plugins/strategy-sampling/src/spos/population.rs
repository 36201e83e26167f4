//! Evolution among networks that inherit their weights.

use std::collections::HashSet;

use nas_plugin_api::error::{ErrorCode, PluginError};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::{Active, Space};
use nas_plugin_api::toolkit::crossover::uniform;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, RngExt};

use super::config::SposConfig;
use crate::path_costs::PathCosts;

/// Children drawn for each that is wanted, before fewer are accepted.
///
/// # Source
/// src/Search/search.py `get_mutation`, `get_crossover` (`max_iters`).
const TRIES: usize = 10;
/// The same for random networks, which the source draws without end.
const RANDOM_TRIES: usize = 100;

/// Every network that was evaluated, in the order of evaluation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(super) struct Population {
    evaluated: Vec<(Genotype, Accuracy)>,
}

/// A finite accuracy; nothing for one that was not a number, which is worse than any.
type Accuracy = Option<f64>;

/// What a generation is bred with.
pub(super) struct Breeding<'a> {
    pub(super) config: &'a SposConfig,
    pub(super) space: &'a Space,
    pub(super) layout: &'a MixtureLayout,
    /// Needed where there is a limit.
    pub(super) costs: Option<PathCosts<'a>>,
}

impl Population {
    /// Notes how networks did.
    pub(super) fn extend(&mut self, evaluated: Vec<(Genotype, f64)>) {
        let known = |accuracy: f64| accuracy.is_finite().then_some(accuracy);
        self.evaluated.extend(evaluated.into_iter().map(|(g, accuracy)| (g, known(accuracy))));
    }

    /// The best `n`, the first of equals first.
    pub(super) fn best(&self, n: usize) -> Vec<Genotype> {
        let mut ranked: Vec<&(Genotype, Accuracy)> = self.evaluated.iter().collect();
        let gain = |accuracy: Accuracy| accuracy.unwrap_or(f64::NEG_INFINITY);
        ranked.sort_by(|a, b| gain(b.1).total_cmp(&gain(a.1)));
        ranked.into_iter().take(n).map(|(genotype, _)| genotype.clone()).collect()
    }

    /// The next generation: mutants and children of the best, filled up with random networks; none
    /// that was evaluated before, and none that costs too much. It is empty where no more is found.
    ///
    /// # Errors
    /// Nothing to begin with: constraints or a limit that nothing meets.
    pub(super) fn breed(
        &self,
        breeding: &Breeding<'_>,
        rng: &mut Generator,
    ) -> Result<Vec<Genotype>, PluginError> {
        let config = breeding.config;
        let space = breeding.space;
        let known = self.evaluated.iter().map(|(genotype, _)| space.normalize(genotype)).collect();
        let mut brood = Brood { breeding, known, born: Vec::new(), active: Active::default() };
        let parents = self.best(config.parents);
        let mut mutation = Mutation::new(space);
        if !parents.is_empty() {
            brood.add(config.mutants.min(config.population), TRIES, || {
                let parent = &parents[rng.random_range(0..parents.len())];
                mutation.each_choice(parent, config.mutation_rate, rng)
            })?;
            let wanted = config.crossovers.min(config.population - brood.born.len());
            brood.add(wanted, TRIES, || {
                let [first, second] =
                    [(); 2].map(|()| &parents[rng.random_range(0..parents.len())]);
                uniform(space, first, second, rng)
            })?;
        }
        let wanted = config.population - brood.born.len();
        brood.add(wanted, RANDOM_TRIES, || random_genotype(space, rng))?;
        match brood.born.is_empty() && self.evaluated.is_empty() {
            true => Err(nothing_to_begin_with(config)),
            false => Ok(brood.born),
        }
    }
}

/// A generation in the making.
struct Brood<'a> {
    breeding: &'a Breeding<'a>,
    /// Everything evaluated or born, in normal form.
    known: HashSet<Genotype>,
    born: Vec<Genotype>,
    active: Active,
}

impl Brood<'_> {
    /// Adds up to so many children.
    fn add(
        &mut self,
        wanted: usize,
        tries: usize,
        mut child: impl FnMut() -> Result<Genotype, PluginError>,
    ) -> Result<(), PluginError> {
        let enough = self.born.len() + wanted;
        for _ in 0..wanted * tries {
            if self.born.len() == enough {
                break;
            }
            let child = child()?;
            if self.is_cheap(&child) && self.known.insert(self.breeding.space.normalize(&child)) {
                self.born.push(child);
            }
        }
        Ok(())
    }

    fn is_cheap(&mut self, child: &Genotype) -> bool {
        let Breeding { config, space, layout, costs } = self.breeding;
        match (config.max_cost, costs) {
            (Some(limit), Some(costs)) => costs.of(space, layout, child, &mut self.active) <= limit,
            _ => true,
        }
    }
}

fn nothing_to_begin_with(config: &SposConfig) -> PluginError {
    let limit =
        config.max_cost.map_or(String::new(), |limit| format!(" that costs at most {limit}"));
    let tries = config.population * RANDOM_TRIES;
    let message = format!("find a network{limit} among {tries} random ones");
    PluginError::new(ErrorCode::Exhausted, message)
        .with_help("raise `max_cost`, which counts in the unit of the paths' costs")
}
