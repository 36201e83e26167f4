//! Training one network by a recipe.

use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::measurement::EpochRecord;
use tch::{Kind, Tensor};

use crate::augment::Augmentation;
use crate::batches::{Batch, Batches};
use crate::evaluate::scalar;
use crate::limits::Watch;
use crate::loss::{correct, cross_entropy};
use crate::network::Network;
use crate::optimizer::{Optimizer, clip_norm};
use crate::pixels::Pixels;
use crate::random::Random;
use crate::schedule;
use crate::trial_error::TrialError;

/// On a GPU the loss is read, and so the device waited for, once in this many batches.
const GPU_BATCHES_PER_CHECK: usize = 50;

/// How a network is trained.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// Everything but the length.
    pub recipe: &'a Recipe,
    /// Epochs that are over already.
    pub first_epoch: u32,
    /// Epochs in all, those that are over included.
    pub epochs: u32,
    /// Epochs over which the schedules run; at least `epochs`.
    pub schedule_epochs: u32,
    /// Share of the split that is used, above 0 and at most 1.
    pub data_fraction: f64,
    /// Seed of the order of images, their augmentation, dropout and drop path.
    pub seed: u64,
}

impl<'a> Training<'a> {
    /// A training from the first epoch to the last, on the whole split.
    #[must_use]
    pub fn whole(recipe: &'a Recipe, epochs: u32, seed: u64) -> Self {
        let schedule_epochs = epochs;
        Self { recipe, first_epoch: 0, epochs, schedule_epochs, data_fraction: 1.0, seed }
    }
}

/// Trains a network and hands over each epoch's record as soon as it is over.
///
/// What is random in an epoch follows from the seed and the epoch's number, so a training that goes
/// on from a checkpoint repeats bit for bit what one without a break does. The drop-path rate is set
/// once per epoch, and so is the learning rate, unless it restarts; a record has that of the epoch's
/// first batch. A last incomplete batch is left out, unless it is the only one. A loss that is not
/// finite ends the training: on the processor after its batch, on a GPU within 50 batches and at the
/// latest when its epoch ends.
///
/// # Errors
/// [`TrialError`]: divergence, a limit, or libtorch; and whatever `after_epoch` returns.
pub fn train(
    network: &mut Network,
    pixels: &Pixels,
    training: Training<'_>,
    optimizer: &mut dyn Optimizer,
    watch: &mut Watch,
    after_epoch: &mut dyn FnMut(&Network, &mut Watch, EpochRecord) -> Result<(), TrialError>,
) -> Result<(), TrialError> {
    let Training { recipe, first_epoch, epochs, schedule_epochs, data_fraction, seed } = training;
    let augmentation = Augmentation::from(recipe);
    let mut batches = Batches::share(pixels, data_fraction, recipe.batch_size, augmentation);
    if batches.is_empty() {
        return Err(TrialError::NoImages);
    }
    if network.parameters().learnt().is_empty() {
        return Err(TrialError::NothingToTrain);
    }
    // Each epoch shuffles the order of the one before.
    (0..first_epoch).for_each(|epoch| batches.shuffle(&mut Random::new(seed, u64::from(epoch))));
    for epoch in first_epoch..epochs {
        let n_training = batches.n_training();
        let learning_rate = |number: usize| {
            let share = number as f64 / n_training as f64;
            schedule::learning_rate(recipe, epoch, share, schedule_epochs)
        };
        network.set_drop_path(schedule::drop_path(recipe, epoch, schedule_epochs));
        // libtorch's own numbers, for dropout and drop path.
        let torch_seed = Random::new(seed, u64::MAX - u64::from(epoch)).next();
        tch::manual_seed(torch_seed.cast_signed());
        let mut random = Random::new(seed, u64::from(epoch));
        batches.shuffle(&mut random);
        let mut totals = Totals::new(network, epoch)?;
        for number in 0..n_training {
            let batch = batches.batch(number, network, &mut random)?;
            step(network, &batch, recipe, learning_rate(number), optimizer, &mut totals, watch)?;
            watch.check()?;
        }
        let (train_loss, train_accuracy) = totals.means()?;
        let record = EpochRecord {
            epoch,
            learning_rate: learning_rate(0),
            train_loss,
            train_accuracy,
            validation_accuracy: None,
        };
        after_epoch(network, watch, record)?;
    }
    Ok(())
}

fn step(
    network: &mut Network,
    batch: &Batch,
    recipe: &Recipe,
    learning_rate: f64,
    optimizer: &mut dyn Optimizer,
    totals: &mut Totals,
    watch: &mut Watch,
) -> Result<(), TrialError> {
    // Every batch needs as much memory as the first, which is watched layer by layer: a network
    // far too large is given up before it can take the machine's memory.
    let outputs = match totals.is_first_batch() {
        true => network.forward_training_checked(&batch.images, &mut || {
            watch.check().map_err(TrialError::Limit)
        })?,
        false => network.forward_training(&batch.images)?,
    };
    let loss =
        cross_entropy(&outputs, &batch.labels, recipe.label_smoothing, recipe.auxiliary_weight)?;
    totals.add(&loss, &outputs[0], &batch.labels)?;
    // Here all feature maps are alive.
    watch.check()?;
    let (_, gradients) = network.parameters_mut().values_and_gradients_mut();
    let _ = gradients.f_zero_()?;
    loss.f_backward()?;
    if recipe.gradient_clip > 0.0 {
        clip_norm(gradients, recipe.gradient_clip)?;
    }
    optimizer.step(network.parameters_mut(), learning_rate)?;
    Ok(())
}

/// Sums over an epoch's batches, kept on the device.
struct Totals {
    epoch: u32,
    loss: Tensor,
    correct: Tensor,
    batches: usize,
    images: usize,
    batches_per_check: usize,
}

impl Totals {
    fn new(network: &Network, epoch: u32) -> Result<Self, TrialError> {
        let device = network.options().device;
        Ok(Self {
            epoch,
            loss: Tensor::f_zeros([], (Kind::Double, device))?,
            correct: Tensor::f_zeros([], (Kind::Int64, device))?,
            batches: 0,
            images: 0,
            batches_per_check: if device.is_cuda() { GPU_BATCHES_PER_CHECK } else { 1 },
        })
    }

    fn add(&mut self, loss: &Tensor, logits: &Tensor, labels: &Tensor) -> Result<(), TrialError> {
        let _no_grad = tch::no_grad_guard();
        let _ = self.loss.f_add_(loss)?;
        let _ = self.correct.f_add_(&correct(logits, labels)?)?;
        self.batches += 1;
        self.images += labels.numel();
        match self.batches.is_multiple_of(self.batches_per_check) {
            true => self.means().map(|_| ()),
            false => Ok(()),
        }
    }

    /// Whether no batch of this training was added yet.
    fn is_first_batch(&self) -> bool {
        self.epoch == 0 && self.batches == 0
    }

    /// Mean loss of the batches and accuracy over their images.
    fn means(&self) -> Result<(f64, f64), TrialError> {
        let loss = scalar(&self.loss)? / self.batches as f64;
        match loss.is_finite() {
            true => Ok((loss, scalar(&self.correct)? / self.images as f64)),
            false => {
                Err(TrialError::Diverged { what: "the training loss", epoch: Some(self.epoch) })
            }
        }
    }
}
