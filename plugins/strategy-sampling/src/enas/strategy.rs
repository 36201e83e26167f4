//! The order of things: an epoch of the shared weights, updates of the controller, and in the end
//! the best of some sampled networks.

use std::collections::HashSet;

use nas_plugin_api::component::{
    ArchOrder, Command, Component, Edit, OneShotPlan, OneShotStrategy, Report, Split,
    StrategyContext, TrainingSettings,
};
use nas_plugin_api::error::{ErrorCode, PluginError};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::picks;
use nas_plugin_api::toolkit::repair::repair;
use nas_plugin_api::toolkit::rng::{Generator, generator};

use super::config::EnasConfig;
use super::controller::{Controller, Sample};
use super::reinforce::Reinforce;
use crate::learning_rate::{cosine, cosine_with_restarts};
use crate::saved_state::{check_length, restore, save};

/// Draws made for a network that meets the space's constraints, or that was not drawn before.
const TRIES: usize = 100;

/// Trains the networks that a controller samples, and the controller by how well they do.
///
/// One sampled network is trained a batch. After each epoch the controller samples networks whose
/// accuracy on one validation batch, plus a small bonus for its entropy, is the reward.
///
/// # Source
/// Pham, Guan, Zoph, Le, Dean. Efficient neural architecture search via parameter sharing. ICML
/// 2018; constants in [`EnasConfig`].
pub struct Enas {
    config: EnasConfig,
    space: Space,
    layout: MixtureLayout,
    controller: Controller,
    state: State,
}

/// Everything that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
struct State {
    rng: Generator,
    parameters: Vec<f64>,
    reinforce: Reinforce,
    epoch: u32,
    stage: Stage,
    awaited: Awaited,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
enum Stage {
    /// Sets the learning rate of an epoch.
    Begin,
    /// Trains the shared weights; so many batches are over.
    Train { step: u32 },
    /// Samples networks for the controller's updates; so many were sampled.
    Reward { sampled: u32 },
    /// Evaluates the last samples.
    Choose,
    /// Gives the answer.
    Answer { genotypes: Vec<Genotype> },
}

/// What the next report tells about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
enum Awaited {
    Nothing,
    /// The accuracy of the network of these moves.
    Reward {
        moves: Vec<usize>,
        entropy: f64,
    },
    /// The accuracies of these.
    Evaluation {
        genotypes: Vec<Genotype>,
    },
}

impl Component for Enas {
    const NAME: &'static str = "enas";
    const SUMMARY: &'static str =
        "a recurrent controller samples networks that share weights and learns from their rewards";
    type Config = EnasConfig;
    type Context = StrategyContext;

    fn create(config: EnasConfig, context: StrategyContext) -> Result<Self, PluginError> {
        config.check()?;
        let space = context.space;
        let mut rng = generator(context.seed);
        let controller = Controller::new(&space, &config);
        let parameters = controller.initial(&config, &mut rng);
        let reinforce = Reinforce::new(&config, controller.n_parameters());
        let (stage, awaited) = (Stage::Begin, Awaited::Nothing);
        let state = State { rng, parameters, reinforce, epoch: 0, stage, awaited };
        Ok(Self { layout: MixtureLayout::new(&space), config, space, controller, state })
    }
}

impl OneShotStrategy for Enas {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        Ok(OneShotPlan {
            epochs: self.config.epochs,
            batch_size: (self.config.batch_size > 0).then_some(self.config.batch_size),
            needs_gradients: false,
            ..OneShotPlan::default()
        })
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        self.learn(report)?;
        match self.state.stage.clone() {
            Stage::Begin => {
                self.state.stage = Stage::Train { step: 0 };
                Ok(Command::Edit(vec![Edit::Training(self.training())]))
            }
            Stage::Train { step } if step < report.steps_per_epoch => {
                self.state.stage = Stage::Train { step: step + 1 };
                let (_, genotype) = self.sample()?;
                let mixture = self.layout.single_path(&self.space, &genotype);
                Ok(Command::TrainWeights { mixture })
            }
            Stage::Train { .. } => self.reward(0),
            Stage::Reward { sampled } => self.reward(sampled),
            Stage::Choose => self.choose(),
            Stage::Answer { genotypes } => Ok(Command::Derive { genotypes }),
        }
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        save(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let state: State = restore(state)?;
        let expected = self.controller.n_parameters();
        check_length("parameters of the controller", state.parameters.len(), expected)?;
        check_length("sums of gradients", state.reinforce.n_parameters(), expected)?;
        self.state = state;
        Ok(())
    }
}

impl Enas {
    /// Takes in what the last command showed.
    fn learn(&mut self, report: &Report) -> Result<(), PluginError> {
        match std::mem::replace(&mut self.state.awaited, Awaited::Nothing) {
            Awaited::Nothing => Ok(()),
            Awaited::Reward { moves, entropy } => {
                let accuracy = match report.accuracies.first() {
                    Some(&accuracy) if accuracy.is_finite() => accuracy,
                    other => return Err(no_reward(other.copied())),
                };
                let State { parameters, reinforce, .. } = &mut self.state;
                let factor = reinforce.factor(accuracy, entropy, &self.config);
                self.controller.add_gradient(parameters, &moves, factor, reinforce.gradient());
                reinforce.count_sample(&self.config, parameters);
                Ok(())
            }
            Awaited::Evaluation { genotypes } => {
                let genotypes = crate::ranking::best_first(genotypes, &report.accuracies)?;
                self.state.stage = Stage::Answer { genotypes };
                Ok(())
            }
        }
    }

    /// Asks for the reward of the next sample, or ends the epoch.
    fn reward(&mut self, sampled: u32) -> Result<Command, PluginError> {
        let EnasConfig { updates_per_epoch, samples_per_update, .. } = self.config;
        if sampled >= updates_per_epoch.saturating_mul(samples_per_update) {
            self.state.epoch += 1;
            self.state.stage =
                if self.state.epoch < self.config.epochs { Stage::Begin } else { Stage::Choose };
            return Ok(Command::EndEpoch { genotype: Some(self.most_probable()?) });
        }
        self.state.stage = Stage::Reward { sampled: sampled + 1 };
        let (sample, genotype) = self.sample()?;
        self.state.awaited = Awaited::Reward { moves: sample.moves, entropy: sample.entropy };
        let mixture = self.layout.single_path(&self.space, &genotype);
        Ok(Command::ArchStep { mixture, order: ArchOrder::Reward })
    }

    /// Asks for the accuracies of the last samples, each once.
    fn choose(&mut self) -> Result<Command, PluginError> {
        let mut known: HashSet<Genotype> = HashSet::new();
        let mut genotypes = Vec::new();
        for _ in 0..self.config.final_samples as usize * TRIES {
            let (_, genotype) = self.sample()?;
            if known.insert(self.space.normalize(&genotype)) {
                genotypes.push(genotype);
            }
            if genotypes.len() == self.config.final_samples as usize {
                break;
            }
        }
        let mixtures = genotypes.iter().map(|g| self.layout.single_path(&self.space, g)).collect();
        self.state.awaited = Awaited::Evaluation { genotypes };
        Ok(Command::Evaluate {
            mixtures,
            split: Split::Validation,
            batches: self.config.final_batches,
            recalibrate: self.config.recalibration_batches,
        })
    }

    /// A sample that meets the space's constraints.
    fn sample(&mut self) -> Result<(Sample, Genotype), PluginError> {
        for _ in 0..TRIES {
            let State { parameters, rng, .. } = &mut self.state;
            let sample = self.controller.sample(parameters, rng);
            let genotype = picks::genotype(&self.space, &sample.picks)?;
            if self.space.check(&genotype).is_ok() {
                return Ok((sample, genotype));
            }
        }
        let message = format!(
            "sample a network that meets the constraints of space `{}` ({TRIES} tries)",
            self.space.name()
        );
        Err(PluginError::new(ErrorCode::Exhausted, message)
            .with_help("loosen the space's constraints: ENAS only draws networks and checks them"))
    }

    /// What the controller prefers now.
    fn most_probable(&self) -> Result<Genotype, PluginError> {
        let sample = self.controller.most_probable(&self.state.parameters);
        let genotype = picks::genotype(&self.space, &sample.picks)?;
        // A copy of the generator: what is only shown must not change what is drawn.
        repair(&self.space, genotype, &mut self.state.rng.clone())
    }

    /// How the shared weights are trained in this epoch.
    fn training(&self) -> TrainingSettings {
        let config = &self.config;
        let (first, last) = (config.learning_rate, config.learning_rate_min);
        let epoch = self.state.epoch;
        let learning_rate = match config.restart_epochs {
            0 => cosine(first, last, epoch, config.epochs),
            period => cosine_with_restarts(first, last, epoch, period, config.restart_factor),
        };
        TrainingSettings {
            learning_rate: Some(learning_rate),
            momentum: Some(config.momentum),
            nesterov: Some(config.nesterov),
            weight_decay: Some(config.weight_decay),
            gradient_clip: Some(config.gradient_clip),
            label_smoothing: None,
        }
    }
}

fn no_reward(found: Option<f64>) -> PluginError {
    let found = found.map_or("nothing".to_owned(), |accuracy| accuracy.to_string());
    PluginError::internal(format!(
        "reward a sampled network: its accuracy on a validation batch is {found}, a number is needed"
    ))
    .with_help("lower `learning_rate` where the shared weights diverge")
}
