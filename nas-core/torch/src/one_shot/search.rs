//! The loop: a command of the strategy, a step of the supernet, a report.

use std::collections::HashMap;
use std::time::Instant;

use nas_core::one_shot::OneShotParts;
use nas_core::protocol::one_shot::{
    Checkpoint, OneShotJob, Order, SearchFound, SearchPlan, SearchStep,
};
use nas_core::protocol::{Event, Usage};
use nas_plugin_api::component::{
    ArchOrder, Command, Mixture, OneShotPlan, OneShotStrategy, Report, Split,
};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use tch::Device;

use super::SearchError;
use super::barrier::streams;
use super::data::Stream;
use super::edits::{WEIGHTS, costs};
use super::epoch::Totals;
use super::form::Form;
use crate::augment::Augmentation;
use crate::batches::Batch;
use crate::limits::Watch;
use crate::network::Options;
use crate::pixels::Pixels;
use crate::random::Random;
use crate::supernet::{Settings, StepResult, Supernet, SupernetError, evaluate_mixture};

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
    pub(super) job: &'a OneShotJob,
    pub(super) parts: OneShotParts,
    pub(super) plan: OneShotPlan,
    pub(super) device: Device,
    pub(super) supernet: Supernet,
    pub(super) path_costs: Vec<f64>,
    pub(super) fixed_cost: f64,
    pub(super) form: Form,
    pub(super) weight_decay_factor: f64,
    pub(super) splits: Splits<'a>,
    pub(super) batch_size: usize,
    pub(super) train: Stream<'a>,
    pub(super) validation: Stream<'a>,
    pub(super) epoch: u32,
    pub(super) step: u32,
    pub(super) totals: Totals,
    pub(super) told: HashMap<u32, Checkpoint>,
    pub(super) charged: Usage,
    pub(super) watch: &'a mut Watch,
    pub(super) supervisor: &'a mut S,
    pub(super) last_sign: Instant,
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

    pub(super) fn check_derived(&self, genotypes: &[Genotype]) -> Result<(), SearchError> {
        for genotype in genotypes {
            if let Err(error) = self.space().check(genotype) {
                let what = format!("derives a genotype that is none of the space: {error}");
                return Err(self.command_error(what));
            }
        }
        Ok(())
    }

    /// What was used since this was last asked.
    pub(super) fn charge(&mut self) -> Usage {
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

    pub(super) fn tell(&mut self, event: Event) -> Result<(), SearchError> {
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

    pub(super) fn command_error(&self, what: String) -> SearchError {
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
