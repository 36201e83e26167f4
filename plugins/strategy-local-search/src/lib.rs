//! Hill climbing with restarts, under the name `local-search`.
//!
//! The best of a few random genotypes is where it begins; then its neighbours (one choice that
//! matters differs) are evaluated in random order, and the first better one, or the best of all,
//! becomes the next centre. Where no neighbour is better it begins anew. Nothing is evaluated twice.
//!
//! # Source
//! White, Nolen, Savani. Exploring the loss landscape in neural architecture search. UAI 2021;
//! `naszilla/naszilla`: naszilla/nas_algorithms.py `local_search`.
//! Differs: works with any number of trials at once, in which case neighbours that were under way
//! when a better one was found count as well.

use std::collections::HashSet;

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::neighbours::neighbours;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, SliceRandom, generator};
use nas_plugin_api::trial::{Proposal, Trial};

nas_plugin_api::export_plugin! { strategies: [LocalSearch] }

/// Draws in a row that give nothing new before the space counts as used up.
const TRIES: usize = 10_000;

nas_plugin_api::configuration! {
    /// Settings of local search.
    pub struct LocalSearchConfig {
        /// Random genotypes of which the best is where a climb begins.
        #[schemars(range(min = 1, max = 100_000))]
        pub starts: usize = 10_usize,
        /// Which better neighbour is taken.
        pub step: Step = Step::First,
    }
}

nas_plugin_api::configuration! {
    /// Which better neighbour becomes the next centre.
    pub enum Step {
        /// The first one that is found.
        First,
        /// The best, once all were evaluated.
        Best,
    }
}

/// Climbs from neighbour to better neighbour.
pub struct LocalSearch {
    config: LocalSearchConfig,
    context: StrategyContext,
    rng: Generator,
    /// Everything that was proposed, normalised.
    proposed: HashSet<Genotype>,
    /// Where the climb is; absent while the random genotypes are evaluated.
    centre: Option<Place>,
    /// The best since the last step, or since the random genotypes were begun.
    best: Option<Place>,
    /// Random genotypes still to be proposed.
    starts_left: usize,
    /// Neighbours of the centre still to be proposed, the next one last.
    neighbours: Vec<Genotype>,
    running: usize,
    /// No random genotype was found that is new.
    is_used_up: bool,
}

/// A genotype that was evaluated.
struct Place {
    genotype: Genotype,
    /// Larger is better.
    gain: f64,
}

impl Component for LocalSearch {
    const NAME: &'static str = "local-search";
    const SUMMARY: &'static str = "climbs from neighbour to better neighbour, and begins anew";
    type Config = LocalSearchConfig;
    type Context = StrategyContext;

    fn create(config: LocalSearchConfig, context: StrategyContext) -> Result<Self, PluginError> {
        if config.starts == 0 {
            return Err(PluginError::configuration("begin with the best of no genotypes"));
        }
        Ok(Self {
            rng: generator(context.seed),
            proposed: HashSet::new(),
            centre: None,
            best: None,
            starts_left: config.starts,
            neighbours: Vec::new(),
            running: 0,
            is_used_up: false,
            config,
            context,
        })
    }
}

impl SearchStrategy for LocalSearch {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals: Vec<Proposal> = Vec::with_capacity(slots);
        while proposals.len() < slots {
            match self.next_genotype()? {
                Some(genotype) => proposals.push(genotype.into()),
                None if !proposals.is_empty() || self.running > 0 => break,
                None if self.is_used_up && self.centre.is_none() && self.best.is_none() => {
                    let n = self.proposed.len();
                    let reason = format!("the space is used up after {n} genotypes");
                    return Ok(Ask::Done { reason });
                }
                None => self.go_on(),
            }
        }
        self.running += proposals.len();
        Ok(if proposals.is_empty() { Ask::Wait } else { Ask::Proposals(proposals) })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.running = self.running.saturating_sub(trials.len());
        for trial in trials {
            let gain = self.context.gain(trial);
            if gain > gain_of(self.best.as_ref()) {
                self.best = Some(Place { genotype: trial.proposal.genotype.clone(), gain });
            }
        }
        let found_better = gain_of(self.best.as_ref()) > gain_of(self.centre.as_ref());
        if self.centre.is_some() && self.config.step == Step::First && found_better {
            self.step();
        }
        Ok(())
    }
}

impl LocalSearch {
    /// The next random genotype or neighbour, if there is one that was not proposed before.
    fn next_genotype(&mut self) -> Result<Option<Genotype>, PluginError> {
        let space = &self.context.space;
        if self.centre.is_some() {
            while let Some(neighbour) = self.neighbours.pop() {
                if self.proposed.insert(neighbour.clone()) {
                    return Ok(Some(neighbour));
                }
            }
            return Ok(None);
        }
        if self.starts_left == 0 || self.is_used_up {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let genotype = random_genotype(space, &mut self.rng)?;
            if self.proposed.insert(space.normalize(&genotype)) {
                self.starts_left -= 1;
                return Ok(Some(genotype));
            }
        }
        self.is_used_up = true;
        Ok(None)
    }

    /// Everything that was proposed is told: climbs on, or begins anew.
    fn go_on(&mut self) {
        if gain_of(self.best.as_ref()) > gain_of(self.centre.as_ref()) {
            self.step();
        } else {
            (self.centre, self.best) = (None, None);
            self.starts_left = self.config.starts;
        }
    }

    /// The best becomes the centre.
    fn step(&mut self) {
        let Some(Place { genotype, gain }) = self.best.take() else { return };
        self.neighbours = neighbours(&self.context.space, &genotype);
        self.neighbours.shuffle(&mut self.rng);
        self.centre = Some(Place { genotype, gain });
    }
}

fn gain_of(place: Option<&Place>) -> f64 {
    place.map_or(f64::NEG_INFINITY, |place| place.gain)
}
