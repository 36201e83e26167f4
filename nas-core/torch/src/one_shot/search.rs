//! The loop: a command of the strategy, a step of the supernet, a report.

use std::collections::HashMap;
use std::time::Instant;

use nas_core::network::NetworkSpace;
use nas_core::one_shot::{OneShotParts, PathCost};
use nas_core::protocol::one_shot::{
    Checkpoint, OneShotEpoch, OneShotJob, Order, SearchFound, SearchPlan, SearchStep,
};
use nas_core::protocol::{Event, Usage};
use nas_plugin_api::component::{
    ArchOrder, Command, Edit, Mixture, OneShotPlan, OneShotStrategy, Report, Split,
};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use tch::{Device, Kind};

use super::SearchError;
use super::checkpoint::{self, State};
use super::data::Stream;
use super::epoch::Totals;
use super::form::Form;
use super::latencies::Latencies;
use super::widen::widen;
use crate::augment::Augmentation;
use crate::batches::Batch;
use crate::limits::Watch;
use crate::network::Options;
use crate::pixels::Pixels;
use crate::random::Random;
use crate::supernet::{Settings, StepResult, Supernet, SupernetError, evaluate_mixture};

/// Stream of the seeds of new weights.
const WEIGHTS: u64 = 1 << 40;
/// Least seconds between two signs of life.
const SECONDS_PER_SIGN: f64 = 1.0;

/// Whom the search tells what it does, and who decides at the end of an epoch.
pub trait Supervisor {
    /// Tells.
    ///
    /// # Errors
    /// A closed pipe.
    fn tell(&mut self, event: Event) -> std::io::Result<()>;

    /// Waits for the decision on an epoch that was told.
    ///
    /// # Errors
    /// A closed pipe, or another request.
    fn order(&mut self) -> std::io::Result<Order>;

    /// A line for the search's log.
    fn log(&mut self, line: &str);
}

/// The splits of a search.
#[derive(Clone, Copy, Debug)]
pub struct Splits<'a> {
    /// For the network weights.
    pub train: &'a Pixels,
    /// For the architecture.
    pub validation: &'a Pixels,
}

/// A search in progress.
pub struct Searcher<'a, S: Supervisor> {
    job: &'a OneShotJob,
    parts: OneShotParts,
    plan: OneShotPlan,
    device: Device,
    supernet: Supernet,
    path_costs: Vec<f64>,
    fixed_cost: f64,
    form: Form,
    weight_decay_factor: f64,
    splits: Splits<'a>,
    batch_size: usize,
    train: Stream<'a>,
    validation: Stream<'a>,
    epoch: u32,
    step: u32,
    totals: Totals,
    told: HashMap<u32, Checkpoint>,
    charged: Usage,
    watch: &'a mut Watch,
    supervisor: &'a mut S,
    last_sign: Instant,
}

/// Runs a search to its end.
///
/// # Errors
/// [`SearchError`]; checkpoints that were told of stay good.
pub fn search<S: Supervisor>(
    job: &OneShotJob,
    splits: Splits<'_>,
    device: Device,
    watch: &mut Watch,
    supervisor: &mut S,
) -> Result<SearchFound, SearchError> {
    let mut searcher = Searcher::begin(job, splits, device, watch, supervisor)?;
    searcher.run()
}

impl<'a, S: Supervisor> Searcher<'a, S> {
    fn begin(
        job: &'a OneShotJob,
        splits: Splits<'a>,
        device: Device,
        watch: &'a mut Watch,
        supervisor: &'a mut S,
    ) -> Result<Self, SearchError> {
        let mut parts = OneShotParts::load(job)?;
        let blame = |source| SearchError::Strategy { strategy: job.strategy.name.clone(), source };
        let plan = parts.strategy.plan().map_err(blame)?;
        let batch_size = plan.batch_size.map_or(job.recipe.batch_size, |size| size as usize);
        let shares =
            [("training", splits.train, job.data_fraction), ("validation", splits.validation, 1.0)];
        for (split, pixels, fraction) in shares {
            let n_images = (pixels.n_images() as f64 * fraction).round() as usize;
            if batch_size > n_images || batch_size == 0 {
                return Err(SearchError::Batch { batch_size, split, n_images });
            }
        }
        let form = Form::new(Settings::from_recipe(&job.recipe));
        let factor = job.weight_decay_factor;
        let seed = Random::new(job.seed, WEIGHTS).next();
        let graph = parts.space.supernet(1)?;
        let (path_costs, fixed_cost) = costs(job, &form, &parts.space, &graph, device)?;
        let options = Options::on(device);
        let supernet = Supernet::build(&graph, form.settings_with(factor), seed, options)
            .map_err(|source| SearchError::Step { epoch: 0, step: 0, source })?;
        let [train, validation] = streams(job, splits, batch_size, 0);
        let mut searcher = Self {
            job,
            parts,
            plan,
            device,
            supernet,
            path_costs,
            fixed_cost,
            form,
            weight_decay_factor: factor,
            splits,
            batch_size,
            train,
            validation,
            epoch: 0,
            step: 0,
            totals: Totals::default(),
            told: HashMap::new(),
            charged: Usage::default(),
            watch,
            supervisor,
            last_sign: Instant::now(),
        };
        if let Some(checkpoint) = &job.resume_from {
            searcher.take_up(checkpoint)?;
            searcher.supervisor.log(&format!("goes on after epoch {}", checkpoint.epoch));
        }
        searcher.begin_epoch();
        let steps_per_epoch = searcher.steps_per_epoch();
        let plan = SearchPlan {
            plan: searcher.plan.clone(),
            steps_per_epoch,
            batch_size: u32::try_from(batch_size).unwrap_or(u32::MAX),
            n_paths: u32::try_from(searcher.supernet.n_paths()).unwrap_or(u32::MAX),
        };
        searcher.tell(Event::SearchPlanned(plan))?;
        Ok(searcher)
    }

    fn run(&mut self) -> Result<SearchFound, SearchError> {
        let mut report = self.report();
        loop {
            let started = Instant::now();
            let command = self.parts.strategy.next(&report);
            self.totals.calls += 1;
            self.totals.call_seconds += started.elapsed().as_secs_f64();
            let command = command.map_err(|error| self.strategy_error(error))?;
            report = self.report();
            match command {
                Command::TrainWeights { mixture } => {
                    let mixture = self.form.without_dropped(mixture);
                    let batch = self.train.next(self.supernet.network())?;
                    let result = self.supernet.train_weights(&batch, &mixture);
                    self.trained(result, &mut report)?;
                }
                Command::SingleLevel { mixture } => {
                    let mixture = self.form.without_dropped(mixture);
                    let batch = self.train.next(self.supernet.network())?;
                    let result = self.supernet.single_level(&batch, &mixture);
                    self.trained(result, &mut report)?;
                }
                Command::ArchStep { mixture, order } => {
                    let mixture = self.form.without_dropped(mixture);
                    let result = self.look(&mixture, order)?;
                    self.totals.validation.add(result.loss, result.accuracy);
                    fill(&mut report, result);
                }
                Command::Evaluate { mixtures, split, batches, recalibrate } => {
                    self.evaluate(&mixtures, split, batches, recalibrate, &mut report)?;
                }
                Command::Edit(edits) => self.edit(&edits)?,
                Command::EndEpoch { genotype } => {
                    let (order, signals) = self.end_epoch(genotype)?;
                    if order == Order::Stop {
                        return Ok(SearchFound { genotypes: Vec::new(), usage: self.charge() });
                    }
                    report = self.report();
                    if let Order::Continue = order {
                        let asked = |(name, _): &(String, f64)| self.plan.signals.contains(name);
                        report.signals = signals.into_iter().filter(asked).collect();
                    }
                }
                Command::Derive { genotypes } => {
                    self.check_derived(&genotypes)?;
                    return Ok(SearchFound { genotypes, usage: self.charge() });
                }
                other => {
                    return Err(self.command_error(format!(
                        "commands {other:?}, which this worker does not know"
                    )));
                }
            }
            (report.epoch, report.step) = (self.epoch, self.step);
            self.watch.check()?;
        }
    }

    /// What every report has.
    fn report(&self) -> Report {
        Report {
            epoch: self.epoch,
            step: self.step,
            steps_per_epoch: self.steps_per_epoch(),
            path_costs: self.path_costs.clone(),
            fixed_cost: self.fixed_cost,
            ..Report::default()
        }
    }

    fn steps_per_epoch(&self) -> u32 {
        let batches = u32::try_from(self.train.len()).unwrap_or(u32::MAX);
        self.plan.steps_per_epoch.map_or(batches, |limit| limit.min(batches))
    }

    fn trained(
        &mut self,
        result: Result<StepResult, SupernetError>,
        report: &mut Report,
    ) -> Result<(), SearchError> {
        let result = result.map_err(|source| self.step_error(source))?;
        self.totals.train.add(result.loss, result.accuracy);
        self.step += 1;
        fill(report, result);
        if self.last_sign.elapsed().as_secs_f64() >= SECONDS_PER_SIGN {
            self.last_sign = Instant::now();
            let train_loss = self.totals.train.loss().unwrap_or(f64::NAN);
            let steps_per_epoch = self.steps_per_epoch();
            let sign =
                SearchStep { epoch: self.epoch, step: self.step, steps_per_epoch, train_loss };
            self.tell(Event::SearchStep(sign))?;
        }
        Ok(())
    }

    fn look(&mut self, mixture: &Mixture, order: ArchOrder) -> Result<StepResult, SearchError> {
        let validation = self.validation.next(self.supernet.network())?;
        let result = match order {
            ArchOrder::First => self.supernet.look(&validation, mixture),
            ArchOrder::Reward => self.supernet.reward(&validation, mixture),
            ArchOrder::Second => {
                let train = self.train.peek(self.supernet.network())?;
                self.supernet.look_ahead(train, &validation, mixture)
            }
        };
        result.map_err(|source| self.step_error(source))
    }

    fn evaluate(
        &mut self,
        mixtures: &[Mixture],
        split: Split,
        batches: u32,
        recalibrate: u32,
        report: &mut Report,
    ) -> Result<(), SearchError> {
        for mixture in mixtures {
            let mixture = self.form.without_dropped(mixture.clone());
            // All mixtures of one command see the same images, without augmentation.
            let plain = Augmentation::default();
            let order = (self.job.seed, self.epoch, 1);
            let (pixels, fraction) = match split {
                Split::Train => (self.splits.train, self.job.data_fraction),
                Split::Validation => (self.splits.validation, 1.0),
            };
            let mut stream = Stream::begin(pixels, fraction, self.batch_size, plain, order);
            let n_batches = match batches as usize {
                0 => stream.len(),
                limit => limit.min(stream.len()),
            };
            let score = if recalibrate > 0 {
                let order = (self.job.seed, self.epoch, 0);
                let train = self.splits.train;
                let mut calibration =
                    Stream::begin(train, self.job.data_fraction, self.batch_size, plain, order);
                self.supernet
                    .recalibrate(&mixture, recalibrate, &mut |network| {
                        Ok(calibration.next(network)?)
                    })
                    .and_then(|()| {
                        evaluate_mixture(
                            &self.supernet,
                            &mixture,
                            true,
                            n_batches,
                            &mut |network| Ok(stream.next(network)?),
                        )
                    })
            } else {
                evaluate_mixture(&self.supernet, &mixture, false, n_batches, &mut |network| {
                    Ok(stream.next(network)?)
                })
            };
            let score = score.map_err(|source| self.step_error(source))?;
            report.losses.push(score.loss);
            report.accuracies.push(score.accuracy);
            self.watch.check()?;
        }
        Ok(())
    }

    fn edit(&mut self, edits: &[Edit]) -> Result<(), SearchError> {
        for edit in edits {
            match edit {
                Edit::DropPaths { choice, paths } => self.drop_paths(*choice, paths)?,
                Edit::Rescale { cells, channels } => {
                    self.form.cells = cells.or(self.form.cells);
                    self.form.channels = channels.or(self.form.channels);
                    self.begin_anew()?;
                }
                Edit::Reinitialize => self.begin_anew()?,
                Edit::ChannelFraction { one_in } => {
                    if *one_in == 0 {
                        return Err(self.command_error("wants one in 0 channels".into()));
                    }
                    if *one_in != self.form.one_in {
                        self.form.one_in = *one_in;
                        let mut wide = self.build()?;
                        let seed = self.weights_seed();
                        widen(&self.supernet, &mut wide, seed)?;
                        self.supernet = wide;
                    }
                }
                Edit::SkipDropout { probability } => {
                    self.form.settings.skip_dropout = self.probability(*probability)?;
                }
                Edit::DropPath { probability } => {
                    self.form.settings.drop_path = self.probability(*probability)?;
                }
                Edit::Training(changes) => self.form.settings.change(changes),
                other => {
                    let what = format!("wants the edit {other:?}, which this worker does not know");
                    return Err(self.command_error(what));
                }
            }
        }
        self.supernet.set(self.form.settings_with(self.weight_decay_factor));
        Ok(())
    }

    fn drop_paths(&mut self, choice: u32, paths: &[u32]) -> Result<(), SearchError> {
        let layout = nas_plugin_api::toolkit::mixture_layout::MixtureLayout::new(self.space());
        let choice = choice as usize;
        if choice >= layout.n_choices() {
            return Err(self.command_error(format!(
                "drops paths of choice {choice}, but there are {}",
                layout.n_choices()
            )));
        }
        let range = layout.paths(choice);
        for &path in paths {
            let at = range.start + path as usize;
            if at >= range.end {
                return Err(self.command_error(format!(
                    "drops path {path} of a choice that has {}",
                    range.len()
                )));
            }
            self.form.dropped.insert(at);
        }
        Ok(())
    }

    fn probability(&self, probability: f64) -> Result<f64, SearchError> {
        match (0.0..1.0).contains(&probability) {
            true => Ok(probability),
            false => Err(self.command_error(format!(
                "wants a dropout of {probability}; it is at least 0 and below 1"
            ))),
        }
    }

    /// New weights, and an optimiser that has seen nothing.
    fn begin_anew(&mut self) -> Result<(), SearchError> {
        self.form.beginnings += 1;
        self.supernet = self.build()?;
        Ok(())
    }

    fn weights_seed(&self) -> u64 {
        Random::new(self.job.seed, WEIGHTS + self.form.beginnings).next()
    }

    /// A supernet of the form that edits have made.
    fn build(&mut self) -> Result<Supernet, SearchError> {
        self.build_with(Options::on(self.device))
    }

    fn build_with(&mut self, options: Options) -> Result<Supernet, SearchError> {
        let other: NetworkSpace;
        let Form { cells, channels, one_in, .. } = &self.form;
        let space = match (cells, channels) {
            (None, None) => &self.parts.space,
            (cells, channels) => {
                other = self.parts.at_scale(*cells, *channels)?;
                &other
            }
        };
        let graph = space.supernet(*one_in as usize)?;
        (self.path_costs, self.fixed_cost) =
            costs(self.job, &self.form, space, &graph, self.device)?;
        let settings = self.form.settings_with(self.weight_decay_factor);
        let seed = self.weights_seed();
        Supernet::build(&graph, settings, seed, options).map_err(|source| self.step_error(source))
    }

    /// The supernet in 64 bits, without dropout: what small differences can be taken of.
    pub(super) fn exact_copy(&mut self) -> Result<Supernet, SearchError> {
        let options = Options { kind: Kind::Double, ..Options::on(self.device) };
        let mut exact = self.build_with(options)?;
        exact.copy_parameters(&self.supernet).map_err(|source| self.step_error(source))?;
        let settings = Settings { skip_dropout: 0.0, drop_path: 0.0, ..exact.settings().clone() };
        exact.set(settings);
        Ok(exact)
    }

    fn begin_epoch(&mut self) {
        let splits = self.splits;
        [self.train, self.validation] = streams(self.job, splits, self.batch_size, self.epoch);
        self.step = 0;
        self.totals = Totals::default();
        // Dropout's numbers; nothing else draws from libtorch.
        let seed = Random::new(self.job.seed, u64::from(self.epoch)).next();
        tch::manual_seed(seed.cast_signed());
    }

    /// Checkpoint, tell, wait, obey.
    fn end_epoch(
        &mut self,
        genotype: Option<Genotype>,
    ) -> Result<(Order, Vec<(String, f64)>), SearchError> {
        if let Some(genotype) = &genotype {
            self.check_derived(std::slice::from_ref(genotype))?;
        }
        let alpha = self.parts.strategy.alpha();
        let signals = self.signals(&alpha, genotype.as_ref())?;
        let strategy = self.parts.strategy.save().map_err(|error| self.strategy_error(error))?;
        let state = State { epoch: self.epoch, form: self.form.clone(), strategy };
        let checkpoint = checkpoint::write(&self.job.checkpoints, &self.supernet, &state)?;
        self.told.insert(self.epoch, checkpoint.clone());
        let totals = &self.totals;
        let told = OneShotEpoch {
            checkpoint,
            alpha,
            genotype,
            train_loss: totals.train.loss().unwrap_or(f64::NAN),
            train_accuracy: totals.train.accuracy().unwrap_or(f64::NAN),
            validation_loss: totals.validation.loss(),
            validation_accuracy: totals.validation.accuracy(),
            learning_rate: self.form.settings.learning_rate,
            signals: signals.clone(),
            plugin_calls: totals.calls,
            plugin_seconds: totals.call_seconds,
            usage: self.charge(),
        };
        self.supervisor.log(&line_of(self.epoch, &told));
        self.tell(Event::EpochEnded(Box::new(told)))?;
        let order = self.supervisor.order().map_err(SearchError::Supervisor)?;
        match order {
            Order::Continue => self.epoch += 1,
            Order::Stop => {}
            Order::RollBack { epoch, weight_decay_factor } => {
                self.weight_decay_factor = weight_decay_factor;
                let checkpoint = match self.told.get(&epoch) {
                    Some(checkpoint) => Some(checkpoint.clone()),
                    None => checkpoint::find(&self.job.checkpoints, epoch),
                };
                let checkpoint = checkpoint.ok_or_else(|| SearchError::Checkpoint {
                    path: self.job.checkpoints.clone(),
                    what: format!("there is none of epoch {epoch} to roll back to"),
                })?;
                self.take_up(&checkpoint)?;
                self.supervisor.log(&format!("rolled back to epoch {epoch}"));
            }
        }
        self.begin_epoch();
        Ok((order, signals.into_iter().collect()))
    }

    /// Everything as it was when that epoch ended.
    fn take_up(&mut self, checkpoint: &Checkpoint) -> Result<(), SearchError> {
        let (state, numbers) = checkpoint::read(&self.job.checkpoints, checkpoint)?;
        self.form = state.form;
        self.supernet = self.build()?;
        numbers.restore(&mut self.supernet)?;
        let restored = self.parts.strategy.restore(&state.strategy);
        restored.map_err(|error| self.strategy_error(error))?;
        self.epoch = state.epoch + 1;
        self.told.insert(state.epoch, checkpoint.clone());
        Ok(())
    }

    fn check_derived(&self, genotypes: &[Genotype]) -> Result<(), SearchError> {
        for genotype in genotypes {
            if let Err(error) = self.space().check(genotype) {
                let what = format!("derives a genotype that is none of the space: {error}");
                return Err(self.command_error(what));
            }
        }
        Ok(())
    }

    /// What was used since this was last asked.
    fn charge(&mut self) -> Usage {
        let total = self.watch.usage();
        let since = Usage {
            cpu_seconds: total.cpu_seconds - self.charged.cpu_seconds,
            gpu_seconds: total.gpu_seconds - self.charged.gpu_seconds,
            wall_seconds: total.wall_seconds - self.charged.wall_seconds,
            peak_memory_bytes: total.peak_memory_bytes,
        };
        self.charged = total;
        since
    }

    fn tell(&mut self, event: Event) -> Result<(), SearchError> {
        self.supervisor.tell(event).map_err(SearchError::Supervisor)
    }

    pub(super) fn space(&self) -> &Space {
        self.parts.space.space()
    }

    pub(super) fn strategy_mut(&mut self) -> &mut dyn OneShotStrategy {
        self.parts.strategy.as_mut()
    }

    pub(super) fn without_dropped(&self, mixture: Mixture) -> Mixture {
        self.form.without_dropped(mixture)
    }

    /// Whether a signal is asked for, by the strategy or a policy.
    pub(super) fn wants(&self, signal: &str) -> bool {
        let asked = |names: &[String]| names.iter().any(|name| name == signal);
        asked(&self.plan.signals) || asked(&self.job.signals)
    }

    /// A validation batch that depends on seed and epoch alone.
    pub(super) fn some_validation_batch(&mut self) -> Result<Batch, SearchError> {
        let order = (self.job.seed, self.epoch, 1);
        let plain = Augmentation::default();
        let mut stream = Stream::begin(self.splits.validation, 1.0, self.batch_size, plain, order);
        Ok(stream.next(self.supernet.network())?)
    }

    /// Accuracy on the first validation batches of the epoch.
    pub(super) fn accuracy(
        &mut self,
        mixture: &Mixture,
        n_batches: usize,
    ) -> Result<f64, SearchError> {
        let mixture = self.form.without_dropped(mixture.clone());
        let order = (self.job.seed, self.epoch, 1);
        let plain = Augmentation::default();
        let mut stream = Stream::begin(self.splits.validation, 1.0, self.batch_size, plain, order);
        let n_batches = n_batches.min(stream.len());
        let score = evaluate_mixture(&self.supernet, &mixture, false, n_batches, &mut |network| {
            Ok(stream.next(network)?)
        });
        Ok(score.map_err(|source| self.step_error(source))?.accuracy)
    }

    pub(super) fn strategy_error(&self, source: PluginError) -> SearchError {
        SearchError::Strategy { strategy: self.job.strategy.name.clone(), source }
    }

    fn command_error(&self, what: String) -> SearchError {
        SearchError::Command { strategy: self.job.strategy.name.clone(), what }
    }

    pub(super) fn step_error(&self, source: SupernetError) -> SearchError {
        SearchError::Step { epoch: self.epoch, step: self.step, source }
    }
}

fn fill(report: &mut Report, result: StepResult) {
    report.losses = vec![result.loss];
    report.accuracies = vec![result.accuracy];
    report.gradient = result.gradient;
}

/// What each path and everything fixed cost in a supernet of this form.
fn costs(
    job: &OneShotJob,
    form: &Form,
    space: &NetworkSpace,
    supernet: &nas_core::network::Supernet,
    device: Device,
) -> Result<(Vec<f64>, f64), SearchError> {
    Ok(match job.path_cost {
        PathCost::MultiplyAdds => (supernet.path_costs.clone(), supernet.fixed_cost),
        PathCost::Latency => {
            let file = job.checkpoints.join(form.named("latencies"));
            let Latencies { paths, fixed } = Latencies::keep(&file, space, supernet, device)?;
            (paths, fixed)
        }
    })
}

fn streams<'a>(
    job: &OneShotJob,
    splits: Splits<'a>,
    batch_size: usize,
    epoch: u32,
) -> [Stream<'a>; 2] {
    let augmentation = Augmentation::from(&job.recipe);
    [(splits.train, job.data_fraction, 0), (splits.validation, 1.0, 1)].map(
        |(pixels, fraction, which)| {
            Stream::begin(pixels, fraction, batch_size, augmentation, (job.seed, epoch, which))
        },
    )
}

fn line_of(epoch: u32, told: &OneShotEpoch) -> String {
    let mut line = format!(
        "epoch {epoch}: loss {:.4}, accuracy {:.4}, learning rate {:.5}",
        told.train_loss, told.train_accuracy, told.learning_rate
    );
    if let Some(accuracy) = told.validation_accuracy {
        line += &format!(", validation accuracy {accuracy:.4}");
    }
    for (name, value) in &told.signals {
        line += &format!(", {name} {value:.4}");
    }
    line
}
