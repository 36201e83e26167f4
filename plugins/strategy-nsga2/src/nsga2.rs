//! The strategy.

use std::collections::{HashSet, VecDeque};

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::crossover::uniform;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator};
use nas_plugin_api::trial::{Proposal, Trial};

use crate::member::Member;
use crate::reference_points::ReferencePoints;
use crate::survival::{Survivor, by_crowding, by_reference_points};

/// Draws made for a child that was not proposed before; then a random genotype takes its place.
const TRIES: usize = 50;
/// Random draws in a row that give nothing new before the space counts as used up.
const RANDOM_TRIES: usize = 10_000;

nas_plugin_api::configuration! {
    /// Settings of NSGA-II.
    pub struct Nsga2Config {
        /// Networks of one generation.
        #[schemars(range(min = 2, max = 10_000))]
        pub population: usize = 50_usize,
        /// Probability that a child has two parents, each choice coming from either.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub crossover_rate: f64 = 0.9,
        /// Probability with which each choice of a child is changed; one choice on average where
        /// absent.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub mutation_rate: Option<f64> = None::<f64>,
        /// What decides within a front.
        pub selection: Selection = Selection::Crowding,
        /// With reference points: parts into which the axis of an objective is divided.
        #[schemars(range(min = 1, max = 100))]
        pub divisions: usize = 12_usize,
    }
}

nas_plugin_api::configuration! {
    /// What decides within a front.
    pub enum Selection {
        /// The room between neighbours on the front (NSGA-II).
        Crowding,
        /// Reference points, each of which should have a network near (NSGA-III).
        ReferencePoints,
    }
}

/// Breeds generation after generation from the networks that none dominates.
///
/// Works with one objective as well. A network is infeasible where its trial has no result, or an
/// objective is beyond its limit: any feasible one dominates it. Nothing is proposed twice; the
/// search ends when the space is used up.
///
/// # Source
/// Deb, Pratap, Agarwal, Meyarivan. A fast and elitist multiobjective genetic algorithm: NSGA-II.
/// IEEE Transactions on Evolutionary Computation 6, 2002; with reference points Deb, Jain. IEEE
/// Transactions on Evolutionary Computation 18, 2014.
/// Differs: choices are options and not numbers, so crossover takes each from either parent and
/// mutation draws another option; a child that was proposed before is bred again.
pub struct Nsga2 {
    config: Nsga2Config,
    context: StrategyContext,
    rng: Generator,
    mutation: Mutation,
    points: ReferencePoints,
    generation: u32,
    parents: Vec<Survivor>,
    /// What was told of the present generation.
    children: Vec<Member>,
    /// Proposals of the present generation that were not asked for yet.
    unborn: VecDeque<Proposal>,
    /// Trials of the present generation that were not told yet.
    running: usize,
    /// Everything that was proposed, normalised.
    proposed: HashSet<Genotype>,
}

impl Component for Nsga2 {
    const NAME: &'static str = "nsga2";
    const SUMMARY: &'static str = "breeds towards a Pareto front of several objectives";
    type Config = Nsga2Config;
    type Context = StrategyContext;

    fn create(config: Nsga2Config, context: StrategyContext) -> Result<Self, PluginError> {
        if config.population < 2 || config.divisions == 0 {
            return Err(PluginError::configuration(
                "breed from a population of less than 2, or divide an axis into no part",
            ));
        }
        Ok(Self {
            rng: generator(context.seed),
            mutation: Mutation::new(&context.space),
            points: ReferencePoints::new(context.objectives.len(), config.divisions),
            generation: 0,
            parents: Vec::new(),
            children: Vec::new(),
            unborn: VecDeque::new(),
            running: 0,
            proposed: HashSet::new(),
            config,
            context,
        })
    }
}

impl SearchStrategy for Nsga2 {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        if self.unborn.is_empty() && self.running == 0 {
            self.begin_generation()?;
            if self.unborn.is_empty() {
                let n = self.proposed.len();
                return Ok(Ask::Done {
                    reason: format!("the space is used up after {n} genotypes"),
                });
            }
        }
        let n = slots.min(self.unborn.len());
        self.running += n;
        Ok(if n == 0 { Ask::Wait } else { Ask::Proposals(self.unborn.drain(..n).collect()) })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.running = self.running.saturating_sub(trials.len());
        self.children.extend(trials.iter().map(|trial| Member::new(&self.context, trial)));
        Ok(())
    }
}

impl Nsga2 {
    /// Selects the parents among parents and children, and breeds as many children again.
    fn begin_generation(&mut self) -> Result<(), PluginError> {
        let parents = self.parents.drain(..).map(|survivor| survivor.member);
        let mut members: Vec<Member> = parents.chain(self.children.drain(..)).collect();
        // The order in which trials end does not matter.
        members.sort_unstable_by_key(|member| member.id);
        let n = self.config.population;
        self.parents = match self.config.selection {
            Selection::Crowding => by_crowding(&members, n),
            Selection::ReferencePoints => {
                by_reference_points(&members, n, &self.points, &mut self.rng)
            }
        };
        for _ in 0..n {
            let Some(child) = self.new_child()? else { break };
            self.proposed.insert(self.context.space.normalize(&child.genotype));
            self.unborn.push_back(child.in_generation(self.generation));
        }
        self.generation += 1;
        Ok(())
    }

    /// A child that was not proposed before, or else such a random genotype, if there is one.
    fn new_child(&mut self) -> Result<Option<Proposal>, PluginError> {
        for attempt in 0..TRIES + RANDOM_TRIES {
            let child = match self.parents.is_empty() || attempt >= TRIES {
                true => random_genotype(&self.context.space, &mut self.rng)?.into(),
                false => self.child()?,
            };
            if !self.proposed.contains(&self.context.space.normalize(&child.genotype)) {
                return Ok(Some(child));
            }
        }
        Ok(None)
    }

    fn child(&mut self) -> Result<Proposal, PluginError> {
        let (first, second) = (self.tournament(), self.tournament());
        let space = &self.context.space;
        let [first, second] = [first, second].map(|place| &self.parents[place].member);
        let (child, parents) = match self.rng.random::<f64>() < self.config.crossover_rate {
            true => {
                let child = uniform(space, &first.genotype, &second.genotype, &mut self.rng)?;
                (child, vec![first.id, second.id])
            }
            false => (first.genotype.clone(), vec![first.id]),
        };
        let rate = self.config.mutation_rate.unwrap_or(1.0 / space.n_choices().max(1) as f64);
        let child = self.mutation.each_choice(&child, rate, &mut self.rng)?;
        Ok(Proposal::from(child).with_parents(&parents))
    }

    /// The better of two random parents.
    fn tournament(&mut self) -> usize {
        let n = self.parents.len();
        let [first, second] = [(); 2].map(|()| self.rng.random_range(0..n));
        if self.parents[second].beats(&self.parents[first]) { second } else { first }
    }
}
