//! The one-shot strategy `lottery`: trains a random network of the supernet at every step, then
//! draws a few and takes the best.

use nas_plugin_api::component::{
    Command, Component, Mixture, Need, OneShotPlan, OneShotStrategy, Report, Split, StrategyContext,
};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::serde_json;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator};

nas_plugin_api::export_plugin! { one_shot_strategies: [Lottery] }

nas_plugin_api::configuration! {
    /// Settings of the lottery.
    pub struct LotteryConfig {
        /// Epochs in which the supernet is trained.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 20_u32,
        /// Networks that are drawn in the end.
        #[schemars(range(min = 1))]
        pub draws: usize = 20_usize,
        /// Training batches with which batch norms are measured anew for each of them.
        pub recalibration_batches: u32 = 4_u32,
    }
}

/// One random network a step, and the best of a few in the end.
pub struct Lottery {
    config: LotteryConfig,
    space: Space,
    layout: MixtureLayout,
    state: State,
}

/// Everything that changes; it goes into every checkpoint.
#[derive(Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
struct State {
    rng: Generator,
    /// Epochs that are over.
    epochs: u32,
    /// What was drawn in the end; empty until then.
    drawn: Vec<Genotype>,
}

impl Component for Lottery {
    const NAME: &'static str = "lottery";
    const SUMMARY: &'static str = "trains random networks of a supernet, and takes the best drawn";
    type Config = LotteryConfig;
    type Context = StrategyContext;

    fn create(config: LotteryConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let state = State { rng: generator(context.seed), epochs: 0, drawn: Vec::new() };
        let layout = MixtureLayout::new(&context.space);
        Ok(Self { config, space: context.space, layout, state })
    }
}

impl OneShotStrategy for Lottery {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        Ok(OneShotPlan { epochs: self.config.epochs, ..OneShotPlan::default() })
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        if !self.state.drawn.is_empty() {
            return self.answer(report);
        }
        if self.state.epochs == self.config.epochs {
            return self.draw();
        }
        if report.step < report.steps_per_epoch {
            let genotype = random_genotype(&self.space, &mut self.state.rng)?;
            return Ok(Command::TrainWeights { mixture: self.alone(&genotype) });
        }
        // The checkpoint is written after this command, so the state is already the next epoch's.
        self.state.epochs += 1;
        Ok(Command::EndEpoch { genotype: None })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(&self.state).map_err(|error| PluginError::internal(error.to_string()))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.state = serde_json::from_slice(state)
            .map_err(|error| PluginError::internal(format!("read its saved state: {error}")))?;
        Ok(())
    }
}

impl Lottery {
    /// The mixture that is one network: weight 1 for its own paths, the others not computed.
    fn alone(&self, genotype: &Genotype) -> Mixture {
        let n_paths = self.layout.n_paths();
        let mut mixture = Mixture { weights: vec![0.0; n_paths], needs: vec![Need::Skip; n_paths] };
        for (choice, &option) in genotype.0.iter().enumerate() {
            let first = self.layout.paths(choice).start;
            for &selected in self.space.selection(choice, option) {
                mixture.weights[first + selected] = 1.0;
                mixture.needs[first + selected] = Need::Forward;
            }
        }
        mixture
    }

    /// Draws the last networks, and asks how good each is with the weights of the supernet.
    fn draw(&mut self) -> Result<Command, PluginError> {
        for _ in 0..self.config.draws {
            self.state.drawn.push(random_genotype(&self.space, &mut self.state.rng)?);
        }
        Ok(Command::Evaluate {
            mixtures: self.state.drawn.iter().map(|drawn| self.alone(drawn)).collect(),
            split: Split::Validation,
            batches: 0,
            recalibrate: self.config.recalibration_batches,
        })
    }

    /// The networks that were drawn, the most accurate first.
    fn answer(&self, report: &Report) -> Result<Command, PluginError> {
        let mut ranked: Vec<_> = report.accuracies.iter().zip(&self.state.drawn).collect();
        ranked.sort_by(|one, other| other.0.total_cmp(one.0));
        Ok(Command::Derive {
            genotypes: ranked.into_iter().map(|(_, drawn)| drawn.clone()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::objective::Objective;
    use nas_plugin_api::template::{Options, TemplateBuilder, TemplateLayer};
    use nas_plugin_api::trial::Fidelity;

    use super::*;

    /// Six choices with four options each.
    fn space() -> Space {
        let mut template = TemplateBuilder::new("six");
        let mut x = template.input([1]);
        for place in 0..6 {
            let options = Options::Depth { repeats: vec![1, 2, 3, 4] };
            let choice = template.choice(&format!("choice_{place}"), options);
            x = template.push("choice", TemplateLayer::Depth { choice }, &[x; 4]);
        }
        Space::new(template.finish(x).unwrap()).unwrap()
    }

    fn lottery() -> Lottery {
        let context = StrategyContext {
            space: space(),
            seed: 1,
            objectives: vec![Objective::maximize("accuracy")],
            fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
            proxies: Vec::new(),
            untrained_share: 0.0,
        };
        let config = LotteryConfig { epochs: 3, draws: 5, ..LotteryConfig::default() };
        Lottery::create(config, context).unwrap()
    }

    /// Stands in for the worker: five steps an epoch, and networks are the better, the larger their
    /// weights' positions. Begins again from the end of an epoch where it is told to.
    fn run(interrupted: Option<u32>) -> (Vec<Command>, Vec<Genotype>) {
        let mut strategy = lottery();
        let mut report = Report { steps_per_epoch: 5, ..Report::default() };
        let mut commands = Vec::new();
        loop {
            let command = strategy.next(&report).unwrap();
            report.accuracies.clear();
            match &command {
                Command::TrainWeights { .. } => report.step += 1,
                Command::EndEpoch { .. } => {
                    if interrupted == Some(report.epoch) {
                        let saved = strategy.save().unwrap();
                        strategy = lottery();
                        strategy.restore(&saved).unwrap();
                    }
                    (report.epoch, report.step) = (report.epoch + 1, 0);
                }
                Command::Evaluate { mixtures, .. } => {
                    let score = |mixture: &Mixture| {
                        let numbered = mixture.weights.iter().enumerate();
                        numbered.map(|(path, weight)| (path % 4) as f64 * weight).sum()
                    };
                    report.accuracies = mixtures.iter().map(score).collect();
                }
                Command::Derive { genotypes } => return (commands, genotypes.clone()),
                other => panic!("{other:?}"),
            }
            commands.push(command);
        }
    }

    #[test]
    fn every_step_trains_one_network() {
        let (commands, _) = run(None);
        let trained = commands.iter().filter_map(|command| match command {
            Command::TrainWeights { mixture } => Some(mixture.weights.iter().sum::<f64>()),
            _ => None,
        });
        assert_eq!(trained.collect::<Vec<_>>(), [6.0; 15]);
        let ends = commands.iter().filter(|one| matches!(one, Command::EndEpoch { .. }));
        assert_eq!(ends.count(), 3);
    }

    #[test]
    fn the_best_of_the_drawn_comes_first() {
        let (_, derived) = run(None);
        let sum = |genotype: &Genotype| genotype.0.iter().sum::<u16>();
        assert_eq!(derived.len(), 5);
        assert!(derived.is_sorted_by_key(|genotype| std::cmp::Reverse(sum(genotype))));
    }

    #[test]
    fn what_is_restored_goes_on_alike() {
        assert_eq!(run(Some(1)), run(None));
    }
}
