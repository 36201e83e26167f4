//! One trial in a worker: build, train, measure, keep.

use std::time::Instant;

use nas_core::protocol::{AuditJob, InheritedWeights, TrialJob};
use nas_plugin_api::measurement::{EpochRecord, Measurements, names};
use tch::Device;

use crate::augment::Augmentation;
use crate::batches::Batches;
use crate::checkpoint::{self, Progress};
use crate::evaluate::{evaluate, evaluate_with};
use crate::latency::latency_ms;
use crate::limits::Watch;
use crate::network::{Network, Norms, Options};
use crate::optimizer;
use crate::pixels::Pixels;
use crate::proxies;
use crate::random::Random;
use crate::recalibrate::{KeptStatistics, recalibrate};
use crate::train::{Training, train};
use crate::trial_error::TrialError;
use crate::weights;

/// Trains and measures one network; one that inherits its weights, or has no epochs, is measured
/// alone.
///
/// The validation split is evaluated once, after the last epoch; for that, a training that goes on
/// later gets batch-norm statistics of its own ([`Recipe::recalibration_batches`]).
///
/// [`Recipe::recalibration_batches`]: nas_core::protocol::recipe::Recipe::recalibration_batches
///
/// # Errors
/// [`TrialError`], from whichever step fails first.
pub fn run(
    job: &TrialJob,
    train_pixels: &Pixels,
    validation: &Pixels,
    device: Device,
    watch: &mut Watch,
    tell: &mut dyn FnMut(EpochRecord) -> Result<(), TrialError>,
) -> Result<Measurements, TrialError> {
    if let Some(inherited) = &job.inherited {
        return evaluate_inherited(job, inherited, train_pixels, validation, device, watch);
    }
    if job.epochs == 0 {
        return measure_untrained(job, train_pixels, device, watch);
    }
    let mut network = Network::build(&job.graph, job.seed, Options::on(device))?;
    let TrialJob { recipe, epochs, schedule_epochs, data_fraction, .. } = job;
    let mut optimizer = optimizer::create(recipe, network.parameters())?;
    let begun = match &job.continue_from {
        Some(kept) => checkpoint::load(&mut network, optimizer.as_mut(), kept)?,
        None => Progress::after(0, job.seed),
    };
    if begun.epochs >= *epochs {
        return Err(TrialError::NothingLeft { epochs: *epochs, over: begun.epochs });
    }
    let mut measurements = Measurements::default();
    let training = Training {
        recipe,
        first_epoch: begun.epochs,
        epochs: *epochs,
        schedule_epochs: (*schedule_epochs).max(*epochs),
        data_fraction: *data_fraction,
        seed: begun.seed,
    };
    // Those of a training that goes on later, which is not to notice that it was evaluated.
    let mut statistics = None;
    let started = Instant::now();
    let mut after_epoch = |network: &Network, watch: &mut Watch, mut record: EpochRecord| {
        if record.epoch + 1 == *epochs {
            measurements.set(names::TRAIN_SECONDS, started.elapsed().as_secs_f64());
            measurements.set(names::TRAIN_LOSS, record.train_loss);
            measurements.set(names::TRAIN_ACCURACY, record.train_accuracy);
            let has_norms = !network.parameters().statistics().is_empty();
            let goes_on = training.schedule_epochs > *epochs;
            if goes_on && has_norms && recipe.recalibration_batches > 0 {
                let (of, n_batches) =
                    ((*data_fraction, recipe.batch_size), recipe.recalibration_batches);
                statistics = Some(KeptStatistics::of(network));
                recalibrate(network, train_pixels, of, n_batches, watch)?;
            }
            let score = evaluate(network, validation, recipe.batch_size, watch)?;
            measurements.set(names::VALIDATION_ACCURACY, score.accuracy);
            measurements.set(names::VALIDATION_LOSS, score.loss);
            record.validation_accuracy = Some(score.accuracy);
        }
        tell(record)
    };
    let optimizer = optimizer.as_mut();
    train(&mut network, train_pixels, training, optimizer, watch, &mut after_epoch)?;
    measure(&network, job, &mut measurements)?;
    if let Some(path) = &job.keep_weights {
        weights::save(&network, path)?;
    }
    if let Some(statistics) = statistics {
        statistics.put_back(&network)?;
    }
    if let Some(path) = &job.keep_checkpoint {
        let progress = Progress::after(*epochs, begun.seed);
        checkpoint::save(&network, optimizer, progress, path)?;
    }
    let peak = watch.usage().peak_memory_bytes;
    measurements.set(names::PEAK_MEMORY_BYTES, peak as f64);
    Ok(measurements)
}

/// What can be measured of a network whatever its weights are.
fn measure(
    network: &Network,
    job: &TrialJob,
    measurements: &mut Measurements,
) -> Result<(), TrialError> {
    measurements.set(names::PARAMETERS, network.count_parameters() as f64);
    for need in &job.needs {
        match need.as_str() {
            names::MULTIPLY_ADDS => {
                measurements.set(names::MULTIPLY_ADDS, network.count_multiply_adds()? as f64);
            }
            names::LATENCY_MS => measurements.set(names::LATENCY_MS, latency_ms(network, 1)?),
            names::BATCH_LATENCY_MS => {
                let milliseconds = latency_ms(network, job.recipe.batch_size)?;
                measurements.set(names::BATCH_LATENCY_MS, milliseconds);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes the zero-cost proxies of a network from the first training images, the same for every
/// network.
fn measure_untrained(
    job: &TrialJob,
    train_pixels: &Pixels,
    device: Device,
    watch: &mut Watch,
) -> Result<Measurements, TrialError> {
    let plain = Augmentation::default();
    let mut batches = Batches::share(train_pixels, 1.0, proxies::BATCH_SIZE, plain);
    if batches.is_empty() {
        return Err(TrialError::NoImages);
    }
    let mut unused = Random::new(0, 0);
    let mut network = proxies::build(&job.graph, job.seed, Options::on(device))?;
    let batch = batches.batch(0, &network, &mut unused)?;
    proxies::measure(&job.graph, &mut network, &batch, watch)
}

/// Evaluates a network with a supernet's weights.
///
/// Its batch-norm statistics are made anew.
fn evaluate_inherited(
    job: &TrialJob,
    inherited: &InheritedWeights,
    train_pixels: &Pixels,
    validation: &Pixels,
    device: Device,
    watch: &mut Watch,
) -> Result<Measurements, TrialError> {
    let mut network = Network::build_inheriting(&job.graph, Options::on(device))?;
    weights::inherit(&mut network, &inherited.weights)?;
    let batch_size = job.recipe.batch_size;
    let (of, n_batches) = ((job.data_fraction, batch_size), inherited.recalibration_batches);
    recalibrate(&network, train_pixels, of, n_batches, watch)?;
    let score = evaluate_with(&network, Norms::Averaged, validation, batch_size, watch)?;
    let mut measurements = Measurements::from([
        (names::VALIDATION_ACCURACY, score.accuracy),
        (names::VALIDATION_LOSS, score.loss),
    ]);
    measure(&network, job, &mut measurements)?;
    let peak = watch.usage().peak_memory_bytes;
    measurements.set(names::PEAK_MEMORY_BYTES, peak as f64);
    Ok(measurements)
}

/// Evaluates kept weights on the holdout.
///
/// # Errors
/// [`TrialError`], from whichever step fails first.
pub fn audit(
    job: &AuditJob,
    holdout: &Pixels,
    device: Device,
    watch: &mut Watch,
) -> Result<Measurements, TrialError> {
    let mut network = Network::build(&job.graph, 0, Options::on(device))?;
    weights::load(&mut network, &job.weights)?;
    let score = evaluate(&network, holdout, job.batch_size, watch)?;
    let parameters = network.count_parameters() as f64;
    Ok(Measurements::from([
        (names::HOLDOUT_ACCURACY, score.accuracy),
        (names::PARAMETERS, parameters),
    ]))
}
