//! What all methods of the family have in common: epochs of steps, each of which learns
//! architecture weights, network weights or both.

use nas_plugin_api::component::{
    Command, Component, Mixture, OneShotPlan, OneShotStrategy, Report, StrategyContext,
};
use nas_plugin_api::error::{ErrorCode, PluginError};
use nas_plugin_api::serde_json;
use nas_plugin_api::toolkit::rng::generator;

use crate::alpha::Alpha;
use crate::method::{Method, Schedule, StepOrder};
use crate::mixing::{self, Purpose};
use crate::search::{Position, Search};
use crate::structure::Structure;

/// A method of the family as a strategy.
pub struct OneShot<M: Method> {
    method: M,
    schedule: Schedule,
    structure: Structure,
    search: Search<M::Progress>,
}

impl<M: Method> Component for OneShot<M> {
    const NAME: &'static str = M::NAME;
    const SUMMARY: &'static str = M::SUMMARY;
    type Config = M::Config;
    type Context = StrategyContext;

    fn create(config: M::Config, context: StrategyContext) -> Result<Self, PluginError> {
        let structure = Structure::new(&context.space)?;
        let method = M::new(config, &structure)?;
        let schedule = method.schedule();
        if schedule.epochs == 0 {
            return Err(PluginError::configuration(format!("search `{}` for no epoch", M::NAME))
                .with_help("set the number of epochs to 1 or more"));
        }
        if !(0..schedule.epochs).any(|epoch| method.learns(epoch)) {
            return Err(PluginError::configuration(format!(
                "search `{}` for {} epochs: the architecture weights are frozen in all of them",
                M::NAME,
                schedule.epochs
            ))
            .with_help("lower `frozen_epochs`, or set more epochs"));
        }
        let settings = method.alpha_settings();
        if let Some(beta) = settings.betas.iter().find(|beta| !(0.0..1.0).contains(*beta)) {
            return Err(PluginError::configuration(format!(
                "step architecture weights with a beta of {beta}"
            ))
            .with_help("set both numbers of `alpha_betas` to at least 0 and below 1"));
        }
        let mut rng = generator(context.seed);
        let alpha = Alpha::of_all_paths(&structure, &settings, &mut rng);
        let search = Search {
            epoch: 0,
            alpha,
            rng,
            progress: M::Progress::default(),
            position: Position::Between,
            awaited: None,
        };
        Ok(Self { method, schedule, structure, search })
    }
}

impl<M: Method> OneShotStrategy for OneShot<M> {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        Ok(self.schedule.plan())
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        self.learn(report)?;
        match self.search.position {
            Position::Between => self.begin_epoch(report),
            Position::Step { step, half } => self.go_on(report, step, half),
        }
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(&self.search).map_err(|error| PluginError::internal(error.to_string()))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let unreadable = |reason: String| {
            let message = format!("read the saved state of `{}`: {reason}", M::NAME);
            PluginError::new(ErrorCode::Message, message)
                .with_help("resume with the plugin and the space that the run was started with")
        };
        let search: Search<M::Progress> =
            serde_json::from_slice(state).map_err(|error| unreadable(error.to_string()))?;
        let (found, expected) = (search.alpha.dropped().len(), self.structure.layout.n_paths());
        if found != expected {
            return Err(unreadable(format!("it has {found} paths, the space has {expected}")));
        }
        self.search = search;
        Ok(())
    }

    fn alpha(&self) -> Vec<f64> {
        self.search.alpha.numbers()
    }

    fn relax_at(&self, alpha: &[f64]) -> Result<Mixture, PluginError> {
        let expected = self.structure.layout.n_paths();
        if alpha.len() != expected {
            return Err(PluginError::internal(format!(
                "relax {} architecture weights: the mixture has {expected} paths",
                alpha.len()
            )));
        }
        let relaxation = self.method.relaxation(self.last_epoch());
        Ok(mixing::mean(&self.structure, &self.search.alpha, relaxation, alpha))
    }

    fn pull_back_at(&self, alpha: &[f64], gradient: &[f64]) -> Result<Vec<f64>, PluginError> {
        let relaxation = self.method.relaxation(self.last_epoch());
        if alpha.len() != self.structure.layout.n_paths() {
            return Err(PluginError::internal(
                "pull back at architecture weights of another space",
            ));
        }
        let Self { structure, search, .. } = self;
        mixing::pull_back_mean(structure, &search.alpha, relaxation, alpha, gradient)
    }
}

impl<M: Method> OneShot<M> {
    /// The epoch, or the last one when all are over.
    fn last_epoch(&self) -> u32 {
        self.search.epoch.min(self.schedule.epochs - 1)
    }

    /// Steps the architecture weights, if the report has the gradient of a mixture.
    fn learn(&mut self, report: &Report) -> Result<(), PluginError> {
        let Some(mixed) = self.search.awaited.take() else {
            return Ok(());
        };
        let Self { method, structure, search, .. } = self;
        let mut in_mixture = report.gradient.clone();
        if in_mixture.len() == mixed.mixture.weights.len() {
            method.add_to_mixture_gradient(report, &mixed.mixture, &mut in_mixture);
        }
        let relaxation = method.relaxation(search.epoch);
        let mut gradient =
            mixing::pull_back(structure, &search.alpha, relaxation, &mixed, &in_mixture)?;
        method.add_to_alpha_gradient(structure, search, &mut gradient);
        search.alpha.step(structure, &gradient)
    }

    /// Begins the next epoch, or ends the search.
    fn begin_epoch(&mut self, report: &Report) -> Result<Command, PluginError> {
        let Self { method, structure, search, schedule } = self;
        if let Some(command) = method.between_epochs(structure, search, report)? {
            return Ok(command);
        }
        if search.epoch >= schedule.epochs {
            let genotype = structure.genotype(&method.picks(structure, search), &search.rng)?;
            return Ok(Command::Derive { genotypes: vec![genotype] });
        }
        search.position = Position::Step { step: 0, half: false };
        Ok(Command::Edit(method.begin_epoch(structure, search)))
    }

    /// The next half of a step, or the end of the epoch.
    fn go_on(&mut self, report: &Report, step: u32, half: bool) -> Result<Command, PluginError> {
        if report.steps_per_epoch == 0 {
            return Err(PluginError::internal("train an epoch: the split has no batch")
                .with_help("use a smaller batch size, or more data"));
        }
        if step >= report.steps_per_epoch {
            return self.end_epoch();
        }
        // Without architecture weights (all decided) there is nothing to take a step for.
        let learns = self.method.learns(self.search.epoch) && self.search.alpha.has_any();
        let (first, second) = match (self.schedule.order, learns) {
            (StepOrder::SingleLevel, true) => (Half::Both, None),
            (_, false) => (Half::Weights, None),
            (StepOrder::ArchitectureFirst, true) => (Half::Architecture, Some(Half::Weights)),
            (StepOrder::WeightsFirst, true) => (Half::Weights, Some(Half::Architecture)),
        };
        let (now, is_last) = match (half, second) {
            (true, Some(second)) => (second, true),
            _ => (first, second.is_none()),
        };
        self.search.position = match is_last {
            true => Position::Step { step: step + 1, half: false },
            false => Position::Step { step, half: true },
        };
        Ok(self.command(now))
    }

    fn command(&mut self, half: Half) -> Command {
        let Self { method, structure, search, schedule } = self;
        let relaxation = method.relaxation(search.epoch);
        let purpose = match half {
            Half::Weights => Purpose::Weights,
            Half::Architecture | Half::Both => Purpose::Architecture,
        };
        let mixed = mixing::draw(structure, &search.alpha, relaxation, purpose, &mut search.rng);
        let mixture = mixed.mixture.clone();
        search.awaited = (purpose == Purpose::Architecture).then_some(mixed);
        match half {
            Half::Weights => Command::TrainWeights { mixture },
            Half::Architecture => Command::ArchStep { mixture, order: schedule.gradient },
            Half::Both => Command::SingleLevel { mixture },
        }
    }

    fn end_epoch(&mut self) -> Result<Command, PluginError> {
        let Self { method, structure, search, .. } = self;
        let genotype = structure.genotype(&method.picks(structure, search), &search.rng)?;
        search.epoch += 1;
        search.position = Position::Between;
        Ok(Command::EndEpoch { genotype: Some(genotype) })
    }
}

/// What a command trains.
#[derive(Clone, Copy)]
enum Half {
    Architecture,
    Weights,
    Both,
}
