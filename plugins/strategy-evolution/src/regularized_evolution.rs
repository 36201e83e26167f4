//! `regularized-evolution`: a tournament whose population forgets its oldest member.
//!
//! A random population first; then, again and again, the best of a random sample is mutated, and
//! each network that was evaluated pushes out the oldest. Nothing waits: workers that are free
//! while the first population is still running get mutants of what is there.
//!
//! # Source
//! Real, Aggarwal, Huang, Le. Regularized evolution for image classifier architecture search.
//! AAAI 2019, algorithm 1 (the sample is drawn with replacement, as there).
//! Differs: a mutation changes one choice that matters, drawn uniformly, not first a cell and
//! then one of its places (`mutation = "node-first"` is nearer to it); a trial without a result
//! never joins the population; what is alive is not proposed again, unless `duplicates` allow it.

use std::collections::{HashSet, VecDeque};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator};
use nas_plugin_api::trial::{Proposal, Trial};

use crate::member::{Member, TRIES};

nas_plugin_api::configuration! {
    /// Settings of regularised evolution.
    pub struct RegularizedEvolutionConfig {
        /// Networks alive at once.
        #[schemars(range(min = 1, max = 100_000))]
        pub population: usize = 100_usize,
        /// Networks drawn, with replacement, of which the best becomes a parent.
        #[schemars(range(min = 1, max = 100_000))]
        pub sample_size: usize = 25_usize,
        /// How the choice is drawn that a mutation changes.
        pub mutation: MutationKind = MutationKind::Uniform,
        /// Whether a genotype may be proposed again that is alive already.
        pub duplicates: Duplicates = Duplicates::Avoided,
    }
}

nas_plugin_api::configuration! {
    /// How the choice is drawn that a mutation changes.
    pub enum MutationKind {
        /// Every choice that matters equally often.
        Uniform,
        /// Every node of a cell equally often, and then one of the edges into it (NATS-Bench).
        NodeFirst,
    }
}

nas_plugin_api::configuration! {
    /// What happens to a child that is alive already.
    pub enum Duplicates {
        /// Another one is drawn, a few times.
        Avoided,
        /// It is proposed again, as in the published algorithm.
        Allowed,
    }
}

/// Mutates the best of a sample; the oldest dies.
pub struct RegularizedEvolution {
    config: RegularizedEvolutionConfig,
    context: StrategyContext,
    rng: Generator,
    mutation: Mutation,
    /// The oldest in front.
    members: VecDeque<Member>,
    /// Normalised genotypes of members and of running trials.
    present: HashSet<Genotype>,
    running: usize,
}

impl Component for RegularizedEvolution {
    const NAME: &'static str = "regularized-evolution";
    const SUMMARY: &'static str = "mutates the best of a random sample; the oldest network dies";
    type Config = RegularizedEvolutionConfig;
    type Context = StrategyContext;

    fn create(
        config: RegularizedEvolutionConfig,
        context: StrategyContext,
    ) -> Result<Self, PluginError> {
        if config.population == 0 || config.sample_size == 0 {
            return Err(PluginError::configuration("evolve a population or a sample of none"));
        }
        Ok(Self {
            rng: generator(context.seed),
            mutation: Mutation::new(&context.space),
            members: VecDeque::with_capacity(config.population + 1),
            present: HashSet::new(),
            running: 0,
            config,
            context,
        })
    }
}

impl SearchStrategy for RegularizedEvolution {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals = Vec::with_capacity(slots);
        for _ in 0..slots {
            let filling = self.members.len() + self.running < self.config.population;
            if !filling && self.members.is_empty() {
                break;
            }
            proposals.push(self.new_child(filling)?);
            self.running += 1;
        }
        Ok(if proposals.is_empty() { Ask::Wait } else { Ask::Proposals(proposals) })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.running = self.running.saturating_sub(trials.len());
        for trial in trials {
            match trial.outcome.has_result() {
                true => self.members.push_back(Member::new(&self.context, trial)),
                false => self.forget(&trial.proposal.genotype),
            }
            if self.members.len() > self.config.population
                && let Some(oldest) = self.members.pop_front()
            {
                self.forget(&oldest.genotype);
            }
        }
        Ok(())
    }
}

impl RegularizedEvolution {
    /// A child that is not alive yet, if one is found.
    fn new_child(&mut self, filling: bool) -> Result<Proposal, PluginError> {
        let mut child = self.child(filling)?;
        if self.config.duplicates == Duplicates::Allowed {
            return Ok(child);
        }
        for _ in 0..TRIES {
            if self.present.insert(self.context.space.normalize(&child.genotype)) {
                break;
            }
            child = self.child(filling)?;
        }
        Ok(child)
    }

    /// A random genotype while the population fills up; then a mutant of the best of a sample.
    fn child(&mut self, filling: bool) -> Result<Proposal, PluginError> {
        if filling {
            return Ok(random_genotype(&self.context.space, &mut self.rng)?.into());
        }
        let mut draw = || &self.members[self.rng.random_range(0..self.members.len())];
        let mut parent = draw();
        for _ in 1..self.config.sample_size {
            let other = draw();
            if other.gain > parent.gain {
                parent = other;
            }
        }
        let child = match self.config.mutation {
            MutationKind::Uniform => self.mutation.one_choice(&parent.genotype, &mut self.rng),
            MutationKind::NodeFirst => {
                self.mutation.one_choice_by_node(&parent.genotype, &mut self.rng)
            }
        };
        Ok(Proposal::from(child).with_parents(&[parent.id]))
    }

    /// Lets a genotype be proposed again.
    fn forget(&mut self, genotype: &Genotype) {
        if self.config.duplicates == Duplicates::Avoided
            && self.context.space.check(genotype).is_ok()
        {
            self.present.remove(&self.context.space.normalize(genotype));
        }
    }
}
