//! A supernet whose accuracy is the mean quality of the open paths: one planted path of each choice
//! has quality 1, all others 0.5; measured with a little noise.

use nas_plugin_api::component::{
    ArchOrder, Command, Edit, Mixture, Need, OneShotStrategy, Report, TrainingSettings,
};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::picks::selectable;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator, normal};

pub(crate) struct Toy {
    space: Space,
    layout: MixtureLayout,
    /// Per choice, the planted path.
    pub(crate) planted: Vec<usize>,
    pub(crate) steps_per_epoch: u32,
    pub(crate) path_costs: Vec<f64>,
    /// Standard deviation of what is measured; a planted path is worth `0.5 / n_choices`.
    pub(crate) noise: f64,
    rng: Generator,
    report: Report,
    /// Every command so far, as text.
    pub(crate) commands: Vec<String>,
    /// Training settings, in the order in which they were set.
    pub(crate) training: Vec<TrainingSettings>,
    /// What the end of each epoch showed.
    pub(crate) derived: Vec<Option<Genotype>>,
    /// Networks evaluated, all generations together.
    pub(crate) evaluated: Vec<Mixture>,
    /// Mixtures of the steps on validation batches.
    pub(crate) arch_steps: Vec<Mixture>,
}

impl Toy {
    pub(crate) fn new(space: &Space, seed: u64) -> Self {
        // Not the numbers that the strategy of this seed draws.
        let mut rng = generator(1000 + seed);
        let layout = MixtureLayout::new(space);
        let planted = (0..space.n_choices())
            .map(|choice| {
                let members = selectable(space, choice);
                members[rng.random_range(0..members.len())]
            })
            .collect();
        let path_costs = vec![10.0; layout.n_paths()];
        Self {
            space: space.clone(),
            layout,
            planted,
            steps_per_epoch: 10,
            path_costs,
            noise: 0.01,
            rng,
            report: Report::default(),
            commands: Vec::new(),
            training: Vec::new(),
            derived: Vec::new(),
            evaluated: Vec::new(),
            arch_steps: Vec::new(),
        }
    }

    /// Runs a strategy to its answer.
    pub(crate) fn run(&mut self, strategy: &mut dyn OneShotStrategy) -> Vec<Genotype> {
        strategy.plan().unwrap();
        loop {
            if let Some(genotypes) = self.step(strategy) {
                return genotypes;
            }
        }
    }

    /// Runs a strategy to the end of so many more epochs.
    pub(crate) fn run_epochs(&mut self, strategy: &mut dyn OneShotStrategy, epochs: usize) {
        let wanted = self.derived.len() + epochs;
        while self.derived.len() < wanted {
            assert_eq!(self.step(strategy), None);
        }
    }

    /// Forgets the last report, as a worker does that begins from a checkpoint.
    pub(crate) fn restart(&mut self) {
        self.report.losses.clear();
        self.report.accuracies.clear();
        self.report.gradient.clear();
    }

    fn step(&mut self, strategy: &mut dyn OneShotStrategy) -> Option<Vec<Genotype>> {
        self.report.steps_per_epoch = self.steps_per_epoch;
        self.report.path_costs.clone_from(&self.path_costs);
        self.report.fixed_cost = 100.0;
        let command = strategy.next(&self.report).unwrap();
        self.commands.push(format!("{command:?}"));
        self.restart();
        match command {
            Command::TrainWeights { mixture } => {
                self.check_single_path(&mixture);
                self.report.step += 1;
                self.report.losses = vec![1.0 - self.accuracy(&mixture)];
            }
            Command::ArchStep { mixture, order } => {
                let accuracy = self.measure(&mixture);
                self.report.losses = vec![1.0 - accuracy];
                self.report.accuracies = vec![accuracy];
                if order == ArchOrder::First {
                    self.report.gradient = self.gradient(&mixture);
                } else {
                    self.check_single_path(&mixture);
                }
                self.arch_steps.push(mixture);
            }
            Command::Evaluate { mixtures, .. } => {
                mixtures.iter().for_each(|mixture| self.check_single_path(mixture));
                self.report.accuracies = mixtures.iter().map(|m| self.measure(m)).collect();
                self.report.losses = self.report.accuracies.iter().map(|a| 1.0 - a).collect();
                self.evaluated.extend(mixtures);
            }
            Command::EndEpoch { genotype } => {
                self.report.epoch += 1;
                self.report.step = 0;
                self.derived.push(genotype);
            }
            Command::Edit(edits) => self.training.extend(edits.iter().map(|edit| match edit {
                Edit::Training(settings) => *settings,
                other => panic!("{other:?}"),
            })),
            Command::Derive { genotypes } => {
                genotypes.iter().for_each(|genotype| self.space.check(genotype).unwrap());
                return Some(genotypes);
            }
            other => panic!("{other:?}"),
        }
        None
    }

    /// A share of the choices in which a genotype picks the planted path.
    pub(crate) fn recovered(&self, genotype: &Genotype) -> f64 {
        let choices = self.planted.iter().enumerate();
        let hits = choices.filter(|&(choice, planted)| {
            self.space.selection(choice, genotype.0[choice]).contains(planted)
        });
        hits.count() as f64 / self.planted.len() as f64
    }

    fn quality(&self, path: usize) -> f64 {
        let choice = self.layout.choice_of(path);
        let member = path - self.layout.paths(choice).start;
        if member == self.planted[choice] { 1.0 } else { 0.5 }
    }

    fn accuracy(&self, mixture: &Mixture) -> f64 {
        let paths = mixture.weights.iter().enumerate();
        let sum: f64 = paths.map(|(path, weight)| weight * self.quality(path)).sum();
        sum / self.planted.len() as f64
    }

    fn measure(&mut self, mixture: &Mixture) -> f64 {
        self.accuracy(mixture) + self.noise * normal(&mut self.rng)
    }

    fn gradient(&mut self, mixture: &Mixture) -> Vec<f64> {
        let needs = mixture.needs.iter().enumerate();
        needs
            .map(|(path, need)| match need {
                Need::ForwardGrad => {
                    let noise = self.noise * normal(&mut self.rng);
                    noise - self.quality(path) / self.planted.len() as f64
                }
                _ => f64::NAN,
            })
            .collect()
    }

    /// What a network opens, and nothing else is computed.
    #[track_caller]
    fn check_single_path(&self, mixture: &Mixture) {
        assert_eq!(mixture.weights.len(), self.layout.n_paths());
        assert_eq!(mixture.needs.len(), self.layout.n_paths());
        for choice in 0..self.layout.n_choices() {
            let open: Vec<usize> = self
                .layout
                .paths(choice)
                .filter(|&path| mixture.weights[path] != 0.0)
                .map(|path| path - self.layout.paths(choice).start)
                .collect();
            let options = 0..self.space.n_options(choice);
            let is_option =
                options.map(|o| self.space.selection(choice, o as u16)).any(|s| s == open);
            assert!(is_option, "choice {choice} opens {open:?}");
        }
        for (weight, need) in mixture.weights.iter().zip(&mixture.needs) {
            assert!(matches!((weight, need), (1.0, Need::Forward) | (0.0, Need::Skip)));
        }
    }
}

/// Mean share of planted paths recovered over five seeds, each with other planted paths.
pub(crate) fn mean_recovered(run: impl Fn(u64) -> f64) -> f64 {
    (0..5).map(run).sum::<f64>() / 5.0
}
