//! Where epochs begin and end: checkpoint, tell, wait, obey.

use nas_core::protocol::Event;
use nas_core::protocol::one_shot::{Checkpoint, OneShotEpoch, OneShotJob, Order};
use nas_plugin_api::genotype::Genotype;

use super::checkpoint::{self, State};
use super::data::Stream;
use super::epoch::Totals;
use super::search::{Searcher, Splits};
use super::{SearchError, Supervisor};
use crate::augment::Augmentation;
use crate::random::Random;

impl<S: Supervisor> Searcher<'_, S> {
    pub(super) fn begin_epoch(&mut self) {
        let splits = self.splits;
        [self.train, self.validation] = streams(self.job, splits, self.batch_size, self.epoch);
        self.step = 0;
        self.totals = Totals::default();
        // Dropout's numbers; nothing else draws from libtorch.
        let seed = Random::new(self.job.seed, u64::from(self.epoch)).next();
        tch::manual_seed(seed.cast_signed());
    }

    /// Checkpoint, tell, wait, obey.
    pub(super) fn end_epoch(
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
    pub(super) fn take_up(&mut self, checkpoint: &Checkpoint) -> Result<(), SearchError> {
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
}

/// Both splits in the order of this epoch.
pub(super) fn streams<'a>(
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

/// What the log says of an epoch.
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
