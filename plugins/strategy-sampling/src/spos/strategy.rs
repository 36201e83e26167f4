//! The order of things: epochs of the supernet, then generations, each an epoch as well so that it is
//! kept.

use nas_plugin_api::component::{
    Command, Component, Edit, OneShotPlan, OneShotStrategy, Report, Split, StrategyContext,
    TrainingSettings,
};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::{Active, Space};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator};

use super::config::SposConfig;
use super::population::{Breeding, Population};
use crate::learning_rate::linear;
use crate::path_costs::PathCosts;
use crate::ranking::pair;
use crate::saved_state::{restore, save};

/// Paths drawn until one costs what it shall.
///
/// # Source
/// src/Supernet/train.py (`timeout`).
const COST_TRIES: usize = 500;

/// Trains a supernet by single paths drawn uniformly, and then evolves networks by the accuracy that
/// they have with its weights.
///
/// # Source
/// Guo et al. Single path one-shot neural architecture search with uniform sampling. ECCV 2020;
/// constants in [`SposConfig`].
pub struct Spos {
    config: SposConfig,
    space: Space,
    layout: MixtureLayout,
    state: State,
}

/// Everything that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
struct State {
    rng: Generator,
    population: Population,
    /// Epochs of the supernet that are over.
    epoch: u32,
    /// Generations that are over.
    generation: u32,
    stage: Stage,
    /// The generation that the next report tells about.
    awaited: Vec<Genotype>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
enum Stage {
    /// Sets the learning rate of an epoch.
    Begin,
    /// Trains; so many batches of the epoch are over.
    Train { step: u32 },
    /// Breeds and evaluates a generation.
    Breed,
    /// Ends a generation.
    EndGeneration,
    /// Gives the answer.
    Answer,
}

impl Component for Spos {
    const NAME: &'static str = "spos";
    const SUMMARY: &'static str =
        "trains uniformly drawn paths, then evolves networks on inherited weights (SPOS)";
    type Config = SposConfig;
    type Context = StrategyContext;

    fn create(config: SposConfig, context: StrategyContext) -> Result<Self, PluginError> {
        config.check()?;
        let state = State {
            rng: generator(context.seed),
            population: Population::default(),
            epoch: 0,
            generation: 0,
            stage: Stage::Begin,
            awaited: Vec::new(),
        };
        let layout = MixtureLayout::new(&context.space);
        Ok(Self { config, space: context.space, layout, state })
    }
}

impl OneShotStrategy for Spos {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        Ok(OneShotPlan {
            epochs: self.config.epochs + self.config.generations,
            batch_size: (self.config.batch_size > 0).then_some(self.config.batch_size),
            needs_gradients: false,
            ..OneShotPlan::default()
        })
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        let awaited = std::mem::take(&mut self.state.awaited);
        if !awaited.is_empty() {
            self.state.population.extend(pair(awaited, &report.accuracies)?);
        }
        match self.state.stage {
            Stage::Begin => {
                self.state.stage = Stage::Train { step: 0 };
                Ok(Command::Edit(vec![Edit::Training(self.training())]))
            }
            Stage::Train { step } if step < report.steps_per_epoch => {
                self.state.stage = Stage::Train { step: step + 1 };
                let genotype = self.draw(report)?;
                let mixture = self.layout.single_path(&self.space, &genotype);
                Ok(Command::TrainWeights { mixture })
            }
            Stage::Train { .. } => {
                self.state.epoch += 1;
                self.state.stage = match self.state.epoch < self.config.epochs {
                    true => Stage::Begin,
                    false if self.config.generations == 0 => Stage::Answer,
                    false => Stage::Breed,
                };
                Ok(Command::EndEpoch { genotype: None })
            }
            Stage::Breed => self.breed(report),
            Stage::EndGeneration => {
                self.state.generation += 1;
                let over = self.state.generation >= self.config.generations;
                self.state.stage = if over { Stage::Answer } else { Stage::Breed };
                let genotype = self.state.population.best(1).pop();
                Ok(Command::EndEpoch { genotype })
            }
            Stage::Answer => self.answer(),
        }
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        save(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let state: State = restore(state)?;
        for genotype in state.population.best(usize::MAX).iter().chain(&state.awaited) {
            self.space.check(genotype).map_err(|error| {
                PluginError::internal(format!("restore the strategy's state: {error}"))
                    .with_help("the space must be that of the run that is resumed")
            })?;
        }
        self.state = state;
        Ok(())
    }
}

impl Spos {
    /// Evaluates the next generation, or ends the search where no more networks are found.
    fn breed(&mut self, report: &Report) -> Result<Command, PluginError> {
        let costs = match self.config.max_cost {
            Some(_) => Some(self.costs(report, "max_cost")?),
            None => None,
        };
        let (config, space, layout) = (&self.config, &self.space, &self.layout);
        let breeding = Breeding { config, space, layout, costs };
        let bred = self.state.population.breed(&breeding, &mut self.state.rng)?;
        if bred.is_empty() {
            self.state.stage = Stage::Answer;
            return self.answer();
        }
        let mixtures = bred.iter().map(|genotype| layout.single_path(space, genotype)).collect();
        self.state.awaited = bred;
        self.state.stage = Stage::EndGeneration;
        Ok(Command::Evaluate {
            mixtures,
            split: Split::Validation,
            batches: self.config.validation_batches,
            recalibrate: self.config.recalibration_batches,
        })
    }

    fn answer(&mut self) -> Result<Command, PluginError> {
        let mut genotypes = self.state.population.best(self.config.answers);
        if genotypes.is_empty() {
            genotypes.push(random_genotype(&self.space, &mut self.state.rng)?);
        }
        Ok(Command::Derive { genotypes })
    }

    /// The next path to train.
    fn draw(&mut self, report: &Report) -> Result<Genotype, PluginError> {
        let bounds = &self.config.training_costs;
        if bounds.is_empty() {
            return random_genotype(&self.space, &mut self.state.rng);
        }
        let costs = self.costs(report, "training_costs")?;
        let rng = &mut self.state.rng;
        let bin = rng.random_range(0..bounds.len() - 1);
        let mut active = Active::default();
        let mut drawn = random_genotype(&self.space, rng)?;
        for _ in 1..COST_TRIES {
            let cost = costs.of(&self.space, &self.layout, &drawn, &mut active);
            if (bounds[bin]..=bounds[bin + 1]).contains(&cost) {
                break;
            }
            drawn = random_genotype(&self.space, rng)?;
        }
        Ok(drawn)
    }

    fn costs<'a>(&self, report: &'a Report, setting: &str) -> Result<PathCosts<'a>, PluginError> {
        PathCosts::new(&report.path_costs, report.fixed_cost, &self.layout, setting)
    }

    /// How the supernet is trained in this epoch.
    fn training(&self) -> TrainingSettings {
        let config = &self.config;
        TrainingSettings {
            learning_rate: Some(linear(config.learning_rate, self.state.epoch, config.epochs)),
            momentum: Some(config.momentum),
            nesterov: Some(config.nesterov),
            weight_decay: Some(config.weight_decay),
            gradient_clip: Some(config.gradient_clip),
            label_smoothing: Some(config.label_smoothing),
        }
    }
}
