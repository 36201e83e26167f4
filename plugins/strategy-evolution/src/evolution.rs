//! `evolution`: a generational genetic algorithm with truncation selection.
//!
//! The best half of a population survives as it is, without being evaluated again; children of
//! random pairs of survivors (single-point crossover, then mutation) fill the rest. A generation
//! begins when every trial of the last one was told; until then idle workers wait.
//!
//! # Source
//! Mühlenbein, Schlierkamp-Voosen. Predictive models for the breeder genetic algorithm.
//! Evolutionary Computation 1, 1993 (truncation selection).

use std::collections::{HashSet, VecDeque};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::crossover::single_point;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator};
use nas_plugin_api::trial::{Proposal, Trial};

use crate::member::{Member, TRIES};

nas_plugin_api::configuration! {
    /// Settings of generational evolution.
    pub struct EvolutionConfig {
        /// Networks of one generation; half of them, rounded down, survive.
        #[schemars(range(min = 2, max = 100_000))]
        pub population: usize = 50_usize,
        /// Generations, the random first one included.
        #[schemars(range(min = 1))]
        pub generations: u32 = 100_u32,
        /// Probability with which each choice of a child is changed.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub mutation_rate: f64 = 0.1,
    }
}

/// Breeds generation after generation from the best half.
pub struct Evolution {
    config: EvolutionConfig,
    context: StrategyContext,
    rng: Generator,
    mutation: Mutation,
    /// Generations begun.
    generation: u32,
    /// Survivors, and what was told of the present generation.
    members: Vec<Member>,
    /// Proposals of the present generation that were not asked for yet.
    unborn: VecDeque<Proposal>,
    /// Trials of the present generation that were not told yet.
    running: usize,
}

impl Component for Evolution {
    const NAME: &'static str = "evolution";
    const SUMMARY: &'static str = "breeds generations from the best half by crossover and mutation";
    type Config = EvolutionConfig;
    type Context = StrategyContext;

    fn create(config: EvolutionConfig, context: StrategyContext) -> Result<Self, PluginError> {
        if config.population < 2 {
            return Err(PluginError::configuration("breed from a population of less than 2"));
        }
        Ok(Self {
            rng: generator(context.seed),
            mutation: Mutation::new(&context.space),
            generation: 0,
            members: Vec::new(),
            unborn: VecDeque::new(),
            running: 0,
            config,
            context,
        })
    }
}

impl SearchStrategy for Evolution {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        if self.unborn.is_empty() && self.running == 0 {
            if self.generation >= self.config.generations {
                let reason = format!("{} generations are over", self.generation);
                return Ok(Ask::Done { reason });
            }
            self.begin_generation()?;
        }
        let n = slots.min(self.unborn.len());
        self.running += n;
        Ok(if n == 0 { Ask::Wait } else { Ask::Proposals(self.unborn.drain(..n).collect()) })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.running = self.running.saturating_sub(trials.len());
        self.members.extend(trials.iter().map(|trial| Member::new(&self.context, trial)));
        Ok(())
    }
}

impl Evolution {
    /// Selects the survivors and breeds what fills the population up again.
    fn begin_generation(&mut self) -> Result<(), PluginError> {
        // Numbers break ties, so that the order in which trials end does not matter.
        self.members.sort_unstable_by(|a, b| b.gain.total_cmp(&a.gain).then(a.id.cmp(&b.id)));
        self.members.truncate(self.config.population / 2);
        let space = &self.context.space;
        let mut present: HashSet<Genotype> =
            self.members.iter().map(|member| space.normalize(&member.genotype)).collect();
        for _ in self.members.len()..self.config.population {
            let mut child = self.child()?;
            for _ in 0..TRIES {
                if present.insert(self.context.space.normalize(&child.genotype)) {
                    break;
                }
                child = self.child()?;
            }
            self.unborn.push_back(child.in_generation(self.generation));
        }
        self.generation += 1;
        Ok(())
    }

    /// A child of two survivors; in the first generation, a random genotype.
    fn child(&mut self) -> Result<Proposal, PluginError> {
        let space = &self.context.space;
        let n = self.members.len();
        if n == 0 {
            return Ok(random_genotype(space, &mut self.rng)?.into());
        }
        let first = self.rng.random_range(0..n);
        let second = match n {
            1 => first,
            _ => (first + self.rng.random_range(1..n)) % n,
        };
        let parents = [&self.members[first], &self.members[second]];
        let child = single_point(space, &parents[0].genotype, &parents[1].genotype, &mut self.rng)?;
        let child = self.mutation.each_choice(&child, self.config.mutation_rate, &mut self.rng)?;
        Ok(Proposal::from(child).with_parents(&parents.map(|parent| parent.id)))
    }
}
