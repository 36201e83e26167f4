//! The order of things: warm-up, then network weights and, every few of their steps, architecture
//! weights.

use nas_plugin_api::component::{
    ArchOrder, Command, Component, Edit, Mixture, Need, OneShotPlan, OneShotStrategy, Report,
    StrategyContext, TrainingSettings,
};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::adam::Adam;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::repair::repair;
use nas_plugin_api::toolkit::rng::{Generator, generator, normal};
use nas_plugin_api::toolkit::{picks, softmax};

use super::choices::{Choices, Searched};
use super::config::{CostLoss, Gates, ProxylessConfig};
use super::cost::slopes;
use super::gates::{Drawn, gated_paths, nothing, open_paths};
use crate::learning_rate::cosine;
use crate::path_costs::PathCosts;
use crate::saved_state::{check_length, restore, save};

/// Trains one path of each choice at a time, drawn by the softmax of the architecture weights, which
/// learn from the gradients of the binary gates and from the expected cost.
///
/// # Source
/// Cai, Zhu, Han. ProxylessNAS: direct neural architecture search on target task and hardware. ICLR
/// 2019; constants in [`ProxylessConfig`].
pub struct Proxyless {
    config: ProxylessConfig,
    space: Space,
    layout: MixtureLayout,
    pub(super) choices: Choices,
    pub(super) state: State,
}

/// Everything that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(super) struct State {
    rng: Generator,
    /// One per path; 0 where nothing is to be decided.
    pub(super) alpha: Vec<f64>,
    adam: Adam,
    /// What costs are compared with, once it is known.
    reference_cost: Option<f64>,
    epoch: u32,
    stage: Stage,
    /// What was drawn for the step of the architecture weights that the next report tells about.
    awaited: Option<Vec<Drawn>>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(super) enum Stage {
    /// Sets the learning rate of an epoch.
    Begin,
    /// Trains network weights; so many batches of the epoch are over.
    Weights { step: u32 },
    /// Takes a step of the architecture weights, then goes on with the network's.
    Alpha { step: u32 },
    /// Gives the answer.
    Answer,
}

impl Component for Proxyless {
    const NAME: &'static str = "proxyless";
    const SUMMARY: &'static str =
        "binary gates open one path at a time; expected latency in the loss (ProxylessNAS)";
    type Config = ProxylessConfig;
    type Context = StrategyContext;

    fn create(config: ProxylessConfig, context: StrategyContext) -> Result<Self, PluginError> {
        config.check()?;
        let space = context.space;
        let layout = MixtureLayout::new(&space);
        let choices = Choices::new(&space, &layout, &config.frozen_operations);
        let mut rng = generator(context.seed);
        let mut alpha = vec![0.0; layout.n_paths()];
        for &path in choices.searched.iter().flat_map(|searched| &searched.paths) {
            alpha[path] = config.alpha_deviation * normal(&mut rng);
        }
        let adam = Adam::new(config.alpha_learning_rate)
            .betas(config.alpha_beta1, config.alpha_beta2)
            .weight_decay(config.alpha_weight_decay);
        let state = State {
            rng,
            alpha,
            adam,
            reference_cost: config.reference_cost,
            epoch: 0,
            stage: Stage::Begin,
            awaited: None,
        };
        Ok(Self { config, space, layout, choices, state })
    }
}

impl OneShotStrategy for Proxyless {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        let several = self.choices.searched.iter().find(|searched| searched.picked > 1);
        if let (Gates::Two, Some(Searched { choice, picked, .. })) = (self.config.gates, several) {
            return Err(PluginError::unsupported(format!(
                "compute two paths of each choice: choice `{}` picks {picked} of its paths",
                self.space.template().choices[*choice].id
            ))
            .with_help("set `gates = \"full-v2\"`"));
        }
        if self.config.epochs < 2 {
            return Err(PluginError::configuration(
                "search for 1 epoch: architecture weights rest in the first one, so the answer would \
                 be the random start",
            )
            .with_help("set `epochs` to 2 or more"));
        }
        Ok(OneShotPlan {
            epochs: self.config.warmup_epochs + self.config.epochs,
            batch_size: (self.config.batch_size > 0).then_some(self.config.batch_size),
            needs_gradients: true,
            ..OneShotPlan::default()
        })
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        if let Some(drawn) = self.state.awaited.take() {
            self.learn(&drawn, report)?;
        }
        match self.state.stage {
            Stage::Begin => {
                self.check_steps(report.steps_per_epoch)?;
                self.state.stage = Stage::Weights { step: 0 };
                Ok(Command::Edit(vec![Edit::Training(self.training())]))
            }
            Stage::Weights { step } if step < report.steps_per_epoch => {
                let step = step + 1;
                let every = self.config.weight_steps_per_alpha_step;
                self.state.stage = match self.learns_alpha() && step % every == 0 {
                    true => Stage::Alpha { step },
                    false => Stage::Weights { step },
                };
                let drawn = self.draw(Gates::FullV2);
                let mixture = open_paths(&self.choices, &drawn, self.layout.n_paths());
                Ok(Command::TrainWeights { mixture })
            }
            Stage::Alpha { step } => {
                self.state.stage = Stage::Weights { step };
                let drawn = self.draw(self.config.gates);
                let mixture = gated_paths(&self.choices, &drawn, self.layout.n_paths());
                self.state.awaited = Some(drawn);
                Ok(Command::ArchStep { mixture, order: ArchOrder::First })
            }
            Stage::Weights { .. } => {
                self.state.epoch += 1;
                let epochs = self.config.warmup_epochs + self.config.epochs;
                self.state.stage =
                    if self.state.epoch < epochs { Stage::Begin } else { Stage::Answer };
                Ok(Command::EndEpoch { genotype: Some(self.strongest()?) })
            }
            Stage::Answer => Ok(Command::Derive { genotypes: vec![self.strongest()?] }),
        }
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        save(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let state: State = restore(state)?;
        check_length("architecture weights", state.alpha.len(), self.layout.n_paths())?;
        self.state = state;
        Ok(())
    }

    fn alpha(&self) -> Vec<f64> {
        let mut alpha = vec![f64::NAN; self.layout.n_paths()];
        for &path in self.choices.searched.iter().flat_map(|searched| &searched.paths) {
            alpha[path] = self.state.alpha[path];
        }
        alpha
    }

    fn relax_at(&self, alpha: &[f64]) -> Result<Mixture, PluginError> {
        check_length("architecture weights", alpha.len(), self.layout.n_paths())?;
        let mut mixture = nothing(&self.choices, self.layout.n_paths());
        for searched in &self.choices.searched {
            let probabilities = searched.probabilities(alpha);
            for (&path, probability) in searched.paths.iter().zip(probabilities) {
                mixture.weights[path] = probability * searched.picked as f64;
                mixture.needs[path] = Need::ForwardGrad;
            }
        }
        Ok(mixture)
    }

    fn pull_back_at(&self, alpha: &[f64], gradient: &[f64]) -> Result<Vec<f64>, PluginError> {
        let n_paths = self.layout.n_paths();
        check_length("architecture weights", alpha.len(), n_paths)?;
        check_length("gradients", gradient.len(), n_paths)?;
        let mut result = vec![f64::NAN; n_paths];
        for searched in &self.choices.searched {
            let probabilities = searched.probabilities(alpha);
            let mut own = vec![0.0; probabilities.len()];
            softmax::pull_back(&probabilities, &searched.own(gradient), 1.0, &mut own);
            for (&path, slope) in searched.paths.iter().zip(own) {
                result[path] = slope * searched.picked as f64;
            }
        }
        Ok(result)
    }
}

impl Proxyless {
    /// Takes a step of the architecture weights.
    pub(super) fn learn(&mut self, drawn: &[Drawn], report: &Report) -> Result<(), PluginError> {
        let gradient = self.alpha_gradient(drawn, report)?;
        let before = self.state.alpha.clone();
        self.state.adam.step(&mut self.state.alpha, &gradient);
        for (searched, drawn) in self.choices.searched.iter().zip(drawn) {
            if !drawn.is_frozen(searched) {
                drawn.rescale(searched, &before, &mut self.state.alpha);
            }
        }
        Ok(())
    }

    /// The gradient of the loss, cost included, in the architecture weights; NaN where they rest.
    pub(super) fn alpha_gradient(
        &mut self,
        drawn: &[Drawn],
        report: &Report,
    ) -> Result<Vec<f64>, PluginError> {
        let n_paths = self.layout.n_paths();
        let loss = match report.losses.first() {
            Some(loss) if loss.is_finite() && report.gradient.len() == n_paths => *loss,
            other => return Err(no_gradient(other.copied(), report.gradient.len(), n_paths)),
        };
        let (slope, costs) = match self.config.cost_loss {
            CostLoss::None => (slopes(&self.config, loss, 0.0, 1.0)?, vec![0.0; n_paths]),
            _ => {
                let costs = PathCosts::new(
                    &report.path_costs,
                    report.fixed_cost,
                    &self.layout,
                    "cost_loss",
                )?;
                let expected = self.expected_cost(drawn, &costs);
                let reference = self.reference_cost(&costs);
                (slopes(&self.config, loss, expected, reference)?, costs.paths.to_vec())
            }
        };
        let present = |gradient: f64| if gradient.is_nan() { 0.0 } else { gradient };
        let mut gradient = vec![f64::NAN; n_paths];
        for (searched, drawn) in self.choices.searched.iter().zip(drawn) {
            if drawn.is_frozen(searched) {
                continue;
            }
            let mut in_gates = vec![0.0; n_paths];
            for &path in &searched.paths {
                in_gates[path] = slope.loss * present(report.gradient[path])
                    + slope.cost * searched.picked as f64 * costs[path];
            }
            let pulled = drawn.pull_back(searched, &in_gates);
            for (&path, slope) in searched.paths.iter().zip(pulled) {
                gradient[path] = slope;
            }
        }
        Ok(gradient)
    }

    /// What the network that was drawn from is expected to cost.
    ///
    /// Differs: operations on inputs that are not picked count as well, in spaces that have such.
    pub(super) fn expected_cost(&self, drawn: &[Drawn], costs: &PathCosts<'_>) -> f64 {
        let always: f64 = self.choices.always.iter().map(|&path| costs.paths[path]).sum();
        let searched = self.choices.searched.iter().zip(drawn);
        costs.fixed + always + searched.map(|(s, d)| d.expected_cost(s, costs.paths)).sum::<f64>()
    }

    /// The cost to compare with, which is noted the first time it is asked for.
    fn reference_cost(&mut self, costs: &PathCosts<'_>) -> f64 {
        if let Some(cost) = self.state.reference_cost {
            return cost;
        }
        let all: Vec<Drawn> = self
            .choices
            .searched
            .iter()
            .map(|searched| {
                let probabilities = searched.probabilities(&self.state.alpha);
                Drawn::All { open: Vec::new(), probabilities }
            })
            .collect();
        let cost = self.expected_cost(&all, costs);
        self.state.reference_cost = Some(cost);
        cost
    }

    fn draw(&mut self, gates: Gates) -> Vec<Drawn> {
        let State { alpha, rng, .. } = &mut self.state;
        let searched = self.choices.searched.iter();
        searched
            .map(|searched| match gates {
                Gates::FullV2 => Drawn::all(searched, alpha, rng),
                Gates::Two => Drawn::two(searched, alpha, rng),
            })
            .collect()
    }

    /// Refuses epochs so short that no step of the architecture weights falls into them.
    fn check_steps(&self, steps_per_epoch: u32) -> Result<(), PluginError> {
        let every = self.config.weight_steps_per_alpha_step;
        match steps_per_epoch < every {
            true => Err(PluginError::configuration(format!(
                "search with epochs of {steps_per_epoch} steps: architecture weights take one every \
                 {every}, so the answer would be the random start"
            ))
            .with_help("lower `batch_size` or `weight_steps_per_alpha_step`")),
            false => Ok(()),
        }
    }

    /// Architecture weights rest in the warm-up and in the epoch after it.
    fn learns_alpha(&self) -> bool {
        self.state.epoch > self.config.warmup_epochs
    }

    /// The genotype of the largest architecture weights.
    fn strongest(&self) -> Result<Genotype, PluginError> {
        let mut chosen = vec![Vec::new(); self.layout.n_choices()];
        for &path in &self.choices.always {
            let choice = self.layout.choice_of(path);
            chosen[choice].push(path - self.layout.paths(choice).start);
        }
        for searched in &self.choices.searched {
            let mut paths = searched.paths.clone();
            let alpha = &self.state.alpha;
            paths.sort_by(|&a, &b| alpha[b].total_cmp(&alpha[a]));
            let start = self.layout.paths(searched.choice).start;
            chosen[searched.choice] =
                paths[..searched.picked].iter().map(|path| path - start).collect();
        }
        let genotype = picks::genotype(&self.space, &chosen)?;
        // A copy of the generator: what is only shown must not change what is drawn.
        repair(&self.space, genotype, &mut self.state.rng.clone())
    }

    /// How network weights are trained in this epoch.
    fn training(&self) -> TrainingSettings {
        let config = &self.config;
        let epoch = self.state.epoch;
        let learning_rate = match epoch.checked_sub(config.warmup_epochs) {
            Some(epoch) => cosine(config.learning_rate, 0.0, epoch, config.epochs),
            None => cosine(config.warmup_learning_rate, 0.0, epoch, config.warmup_epochs),
        };
        TrainingSettings {
            learning_rate: Some(learning_rate),
            momentum: Some(config.momentum),
            nesterov: Some(config.nesterov),
            weight_decay: Some(config.weight_decay),
            gradient_clip: Some(config.gradient_clip),
            label_smoothing: Some(config.label_smoothing),
        }
    }
}

fn no_gradient(loss: Option<f64>, found: usize, expected: usize) -> PluginError {
    let loss = loss.map_or("none".to_owned(), |loss| loss.to_string());
    PluginError::internal(format!(
        "take a step of the architecture weights: the loss is {loss} and there are {found} \
         gradients, a number and {expected} are needed"
    ))
    .with_help("lower `learning_rate` where the network weights diverge")
}
