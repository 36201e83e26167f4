//! The policy gradient over independent choices, under the name `reinforce`.
//!
//! Every choice has a number for each of its options; a genotype is drawn from their softmax. Each
//! result moves the numbers along the gradient of its genotype's log-probability, times how much
//! better it was than the moving average of results. There is no network. The answer of a search is
//! its best trial, not what the policy would draw last.
//!
//! # Source
//! Williams. Simple statistical gradient-following algorithms for connectionist reinforcement
//! learning. Machine Learning 8, 1992. The settings are those of Dong, Liu, Musial, Gabrys.
//! NATS-Bench, TPAMI 2021: `D-X-Y/AutoDL-Projects@f46486e`, exps/NATS-algos/reinforce.py.

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::adam::Adam;
use nas_plugin_api::toolkit::repair::repair;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator, normal};
use nas_plugin_api::toolkit::softmax;
use nas_plugin_api::trial::Trial;

nas_plugin_api::export_plugin! { strategies: [Reinforce] }

nas_plugin_api::configuration! {
    /// Settings of REINFORCE.
    pub struct ReinforceConfig {
        /// Adam's step size.
        #[schemars(range(min = 1e-6, max = 10.0))]
        pub learning_rate: f64 = 0.01,
        /// How much of the moving average of rewards stays at each result.
        #[schemars(range(min = 0.0, max = 0.999_999))]
        pub baseline_momentum: f64 = 0.9,
        /// What the first objective is multiplied by to be the reward: 100 makes a fraction the
        /// percent that the published settings are for.
        #[schemars(range(min = 1e-6, max = 1e6))]
        pub reward_scale: f64 = 100.0,
        /// Standard deviation of the first numbers.
        #[schemars(range(min = 0.0, max = 10.0))]
        pub start_deviation: f64 = 1e-3,
    }
}

/// Draws genotypes from a policy that it improves with every result.
pub struct Reinforce {
    config: ReinforceConfig,
    context: StrategyContext,
    rng: Generator,
    adam: Adam,
    /// One number for each option of each choice, choice after choice.
    alpha: Vec<f64>,
    /// Where each choice begins in `alpha`, and where the last one ends.
    starts: Vec<usize>,
    baseline: MovingAverage,
    /// Kept from call to call, so that nothing is allocated.
    gradient: Vec<f64>,
    weights: Vec<f64>,
}

/// An exponential moving average without the bias of its start.
struct MovingAverage {
    momentum: f64,
    numerator: f64,
    denominator: f64,
}

impl Component for Reinforce {
    const NAME: &'static str = "reinforce";
    const SUMMARY: &'static str = "draws genotypes from a policy that each result improves";
    type Config = ReinforceConfig;
    type Context = StrategyContext;

    fn create(config: ReinforceConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let mut rng = generator(context.seed);
        let mut starts = vec![0];
        for choice in 0..context.space.n_choices() {
            starts.push(starts[choice] + context.space.n_options(choice));
        }
        let n_numbers = starts[context.space.n_choices()];
        let alpha = (0..n_numbers).map(|_| config.start_deviation * normal(&mut rng)).collect();
        Ok(Self {
            adam: Adam::new(config.learning_rate),
            alpha,
            starts,
            baseline: MovingAverage {
                momentum: config.baseline_momentum,
                numerator: 0.0,
                denominator: 0.0,
            },
            gradient: vec![0.0; n_numbers],
            weights: vec![0.0; n_numbers],
            config,
            context,
            rng,
        })
    }
}

impl SearchStrategy for Reinforce {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.relax();
        let drawn = (0..slots.max(1)).map(|_| Ok(self.draw()?.into()));
        drawn.collect::<Result<Vec<_>, PluginError>>().map(Ask::Proposals)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            let gain = self.context.gain(trial);
            // A trial without a result says nothing about how good its options are.
            if gain.is_finite() && self.context.space.check(&trial.proposal.genotype).is_ok() {
                self.learn(&trial.proposal.genotype, self.config.reward_scale * gain);
            }
        }
        Ok(())
    }
}

impl Reinforce {
    /// Probabilities of all options.
    fn relax(&mut self) {
        for choice in self.starts.windows(2) {
            let range = choice[0]..choice[1];
            softmax::relax(&self.alpha[range.clone()], 1.0, &mut self.weights[range]);
        }
    }

    fn draw(&mut self) -> Result<Genotype, PluginError> {
        let values = self.starts.windows(2).map(|choice| {
            let weights = &self.weights[choice[0]..choice[1]];
            let mut left = self.rng.random::<f64>();
            let met = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            // Rounding may leave a little at the end.
            met.unwrap_or(weights.len() - 1) as u16
        });
        let genotype = Genotype(values.collect());
        match self.context.space.template().constraints.is_empty() {
            true => Ok(genotype),
            false => repair(&self.context.space, genotype, &mut self.rng),
        }
    }

    /// One step up the expected reward: down the gradient of `-advantage · log p(genotype)`.
    fn learn(&mut self, genotype: &Genotype, reward: f64) {
        let advantage = reward - self.baseline.update(reward);
        self.relax();
        for (choice, &chosen) in genotype.0.iter().enumerate() {
            for index in self.starts[choice]..self.starts[choice + 1] {
                let is_chosen = index - self.starts[choice] == usize::from(chosen);
                self.gradient[index] =
                    -advantage * (f64::from(u8::from(is_chosen)) - self.weights[index]);
            }
        }
        self.adam.step(&mut self.alpha, &self.gradient);
    }
}

impl MovingAverage {
    /// The average with this value in it.
    fn update(&mut self, value: f64) -> f64 {
        self.numerator = self.momentum * self.numerator + (1.0 - self.momentum) * value;
        self.denominator = self.momentum * self.denominator + (1.0 - self.momentum);
        self.numerator / self.denominator
    }
}
