//! A supernet of no tensors: a loss that is a function of the mixture, with one best path planted
//! in every choice, driven by a strategy's commands.
//!
//! Every choice has a benefit `u = Σ weight · value`, with value 1 for the planted path, −0.5 to
//! 0.4 for the others and 0 for `none`; an operation's is multiplied by the weight of the edge that
//! it stands on. The loss is the mean of `exp(−u)`, so that every path's gradient has the sign that
//! its value says; noise is added to gradients and accuracies, as batches do.

use nas_plugin_api::component::{ArchOrder, Command, Edit, Mixture, Need, OneShotStrategy, Report};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{Options, Space};
use nas_plugin_api::toolkit::incoming_edges::IncomingEdges;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator, normal};

/// The supernet.
#[derive(Clone)]
pub(crate) struct Toy {
    space: Space,
    layout: MixtureLayout,
    /// What a path is worth.
    values: Vec<f64>,
    /// The best path of every choice but those among inputs.
    planted: Vec<Option<usize>>,
    /// What an operation's benefit is multiplied by besides.
    importance: Vec<f64>,
    /// The mixture's position of the weight of the edge that an operation choice stands on.
    edge: Vec<Option<usize>>,
    noise: f64,
    rng: Generator,
    dropped: Vec<bool>,
    report: Report,
}

/// What became of a search.
pub(crate) struct Driven {
    /// The commands, the last one a `Derive`.
    pub(crate) commands: Vec<Command>,
    /// The genotype derived.
    pub(crate) genotype: Genotype,
    /// Strategy and toy, saved after each epoch, with the number of commands until then.
    pub(crate) checkpoints: Vec<(usize, Vec<u8>, Toy)>,
}

impl Toy {
    pub(crate) fn new(space: &Space, steps_per_epoch: u32, noise: f64, seed: u64) -> Self {
        let layout = MixtureLayout::new(space);
        let mut rng = generator(seed ^ 0x70_17);
        let mut values = vec![0.0; layout.n_paths()];
        let mut planted = Vec::new();
        for (choice, described) in space.template().choices.iter().enumerate() {
            let paths = layout.paths(choice);
            let (names, n): (&[String], usize) = match &described.options {
                Options::Operation { candidates, .. } => (candidates, paths.len()),
                Options::Inputs { .. } => {
                    planted.push(None);
                    continue;
                }
                _ => (&[], paths.len()),
            };
            let is_none = |path: usize| names.get(path).is_some_and(|name| name == "none");
            let worth: Vec<usize> = (0..n).filter(|&path| !is_none(path)).collect();
            let best = worth[rng.random_range(0..worth.len())];
            for path in worth {
                values[paths.start + path] =
                    if path == best { 1.0 } else { 0.9 * rng.random::<f64>() - 0.5 };
            }
            planted.push(Some(best));
        }
        let mut edge = vec![None; layout.n_choices()];
        for node in IncomingEdges::of(space) {
            for (input, operation) in node.operations.iter().enumerate() {
                if let Some(operation) = *operation {
                    edge[operation] = Some(layout.paths(node.inputs).start + input);
                }
            }
        }
        let dropped = vec![false; layout.n_paths()];
        let importance = vec![1.0; layout.n_choices()];
        let report = Report {
            steps_per_epoch,
            path_costs: vec![1.0; layout.n_paths()],
            ..Report::default()
        };
        Self {
            space: space.clone(),
            layout,
            values,
            planted,
            importance,
            edge,
            noise,
            rng,
            dropped,
            report,
        }
    }

    /// The same with two edges into every node that count more than its others.
    pub(crate) fn with_important_edges(mut self) -> Self {
        for node in IncomingEdges::of(&self.space) {
            let first = self.rng.random_range(0..node.operations.len());
            let step = self.rng.random_range(1..node.operations.len());
            let second = (first + step) % node.operations.len();
            for (input, operation) in node.operations.iter().enumerate() {
                let counts = input == first || input == second;
                self.importance[operation.unwrap()] = if counts { 1.0 } else { 0.4 };
            }
        }
        self
    }

    /// Share of the edges kept by a genotype's nodes that are among the important ones.
    pub(crate) fn important(&self, genotype: &Genotype) -> f64 {
        let nodes = IncomingEdges::of(&self.space);
        let kept = nodes.iter().flat_map(|node| {
            let kept = self.space.selection(node.inputs, genotype.0[node.inputs]);
            kept.iter().map(|&input| self.importance[node.operations[input].unwrap()])
        });
        let kept: Vec<f64> = kept.collect();
        kept.iter().filter(|&&importance| importance == 1.0).count() as f64 / kept.len() as f64
    }

    /// Share of the choices in which a genotype has the planted path.
    pub(crate) fn recovered(&self, genotype: &Genotype) -> f64 {
        self.space.check(genotype).unwrap();
        let planted: Vec<(usize, usize)> =
            self.planted.iter().enumerate().filter_map(|(c, &best)| Some((c, best?))).collect();
        let agrees = |&&(choice, best): &&(usize, usize)| {
            self.space.selection(choice, genotype.0[choice]) == [best]
        };
        planted.iter().filter(agrees).count() as f64 / planted.len() as f64
    }

    /// Drives a strategy to its end.
    pub(crate) fn drive(
        mut self,
        strategy: &mut dyn OneShotStrategy,
    ) -> Result<Driven, PluginError> {
        let plan = strategy.plan()?;
        if let Some(most) = plan.steps_per_epoch {
            self.report.steps_per_epoch = self.report.steps_per_epoch.min(most);
        }
        let mut checkpoints = Vec::new();
        let mut commands = Vec::new();
        loop {
            assert!(commands.len() < 1_000_000, "a search that ends");
            let command = strategy.next(&self.report)?;
            commands.push(command.clone());
            if let Command::Derive { genotypes } = &command {
                assert_eq!(self.report.epoch, plan.epochs, "as many epochs as planned");
                let genotype = genotypes[0].clone();
                return Ok(Driven { commands, genotype, checkpoints });
            }
            let is_end = matches!(command, Command::EndEpoch { .. });
            self.run(&command);
            if is_end {
                checkpoints.push((commands.len(), strategy.save()?, self.clone()));
            }
        }
    }

    /// Does what a command says and makes the report of it.
    pub(crate) fn run(&mut self, command: &Command) {
        self.report.losses.clear();
        self.report.accuracies.clear();
        self.report.gradient.clear();
        match command {
            Command::TrainWeights { mixture } => {
                assert!(!mixture.needs.contains(&Need::ForwardGrad), "no gradient for weights");
                self.look(mixture);
                self.report.step += 1;
            }
            Command::SingleLevel { mixture } => {
                self.look(mixture);
                self.report.gradient = self.gradient(mixture);
                self.report.step += 1;
            }
            Command::ArchStep { mixture, order } => {
                self.look(mixture);
                assert_ne!(*order, ArchOrder::Reward);
                self.report.gradient = self.gradient(mixture);
            }
            Command::Evaluate { mixtures, .. } => {
                mixtures.iter().for_each(|mixture| self.look(mixture));
            }
            Command::EndEpoch { genotype } => {
                self.space.check(genotype.as_ref().unwrap()).unwrap();
                self.report.epoch += 1;
                self.report.step = 0;
            }
            Command::Edit(edits) => edits.iter().for_each(|edit| self.edit(edit)),
            other => panic!("unexpected command {other:?}"),
        }
    }

    fn edit(&mut self, edit: &Edit) {
        if let Edit::DropPaths { choice, paths } = edit {
            let start = self.layout.paths(*choice as usize).start;
            for &path in paths {
                let dropped = &mut self.dropped[start + path as usize];
                assert!(!*dropped, "a path is dropped once");
                *dropped = true;
            }
        }
    }

    fn look(&mut self, mixture: &Mixture) {
        self.check(mixture);
        let (loss, _) = self.loss(mixture);
        self.report.losses.push(loss);
        let accuracy = (-loss).exp() + 1e-3 * self.noise * normal(&mut self.rng);
        self.report.accuracies.push(accuracy);
    }

    fn check(&self, mixture: &Mixture) {
        assert_eq!(mixture.weights.len(), self.layout.n_paths());
        assert_eq!(mixture.needs.len(), self.layout.n_paths());
        for path in 0..self.layout.n_paths() {
            assert!(mixture.weights[path].is_finite() && mixture.weights[path] >= 0.0);
            if self.dropped[path] {
                assert_eq!(mixture.needs[path], Need::Skip, "dropped paths are skipped");
            }
            if mixture.needs[path] == Need::Skip {
                assert_eq!(mixture.weights[path], 0.0);
            }
        }
        for choice in 0..self.layout.n_choices() {
            let paths = self.layout.paths(choice);
            assert!(mixture.needs[paths].iter().any(|&need| need != Need::Skip), "an empty choice");
        }
    }

    /// The loss, and its exact gradient.
    fn loss(&self, mixture: &Mixture) -> (f64, Vec<f64>) {
        let n = self.planted.iter().flatten().count() as f64;
        let mut loss = 0.0;
        let mut gradient = vec![0.0; self.layout.n_paths()];
        for choice in (0..self.layout.n_choices()).filter(|&c| self.planted[c].is_some()) {
            let paths = self.layout.paths(choice);
            let importance = self.importance[choice];
            let edge = importance * self.edge[choice].map_or(1.0, |edge| mixture.weights[edge]);
            let own: f64 = paths.clone().map(|p| mixture.weights[p] * self.values[p]).sum();
            let term = (-edge * own).exp() / n;
            loss += term;
            paths.for_each(|path| gradient[path] -= term * edge * self.values[path]);
            if let Some(edge) = self.edge[choice] {
                gradient[edge] -= term * importance * own;
            }
        }
        (loss, gradient)
    }

    fn gradient(&mut self, mixture: &Mixture) -> Vec<f64> {
        let (_, gradient) = self.loss(mixture);
        let scale = self.noise / gradient.len() as f64;
        let mut noisy = |(gradient, need): (f64, &Need)| match need {
            Need::ForwardGrad => gradient + scale * normal(&mut self.rng),
            Need::Skip | Need::Forward => f64::NAN,
        };
        gradient.into_iter().zip(&mixture.needs).map(&mut noisy).collect()
    }
}
