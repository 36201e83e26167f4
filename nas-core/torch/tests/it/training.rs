//! Training: it learns, it repeats itself bit for bit, it notices when it diverges.

use nas_core::protocol::recipe::{Recipe, Schedule};
use nas_core::protocol::{Failure, TrialJob};
use nas_plugin_api::measurement::{EpochRecord, Measurements, names};
use nas_torch::data::Split;
use nas_torch::limits::Watch;
use nas_torch::pixels::Pixels;
use nas_torch::schedule;
use nas_torch::trial::{TrialError, run};
use tch::Device;

use crate::fixtures::{digits, job, small_net, two_sides};

fn evaluate(
    job: &TrialJob,
    train: &Pixels,
    validation: &Pixels,
) -> Result<(Measurements, Vec<EpochRecord>), TrialError> {
    let mut watch = Watch::start(job.cpu_seconds, job.memory_bytes, false);
    let mut records = Vec::new();
    let mut tell = |record| {
        records.push(record);
        Ok(())
    };
    let measurements = run(job, train, validation, Device::Cpu, &mut watch, &mut tell)?;
    Ok((measurements, records))
}

#[test]
fn digits_are_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let summary = digits(folder.path());
    let read = |path| Pixels::from(Split::read(path).unwrap());
    let (train, validation) = (read(&summary.train.path), read(&summary.validation.path));
    let job = job(small_net(train.shape, 10), 5, folder.path().join("log"));
    let (measurements, records) = evaluate(&job, &train, &validation).unwrap();
    let accuracy = measurements.get(names::VALIDATION_ACCURACY).unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    assert_eq!(records.len(), 5);
    assert_eq!(records[4].validation_accuracy, Some(accuracy));
    assert_eq!(records[0].validation_accuracy, None);
    assert!(records[4].train_loss < records[0].train_loss);
}

#[test]
fn augmentation_and_drop_path_do_not_stop_learning() {
    let pixels = two_sides(256);
    let mut job = job(small_net(pixels.shape, 2), 6, "/dev/null".into());
    job.recipe = Recipe {
        label_smoothing: 0.1,
        crop_padding: 1,
        cutout: 2,
        drop_path: 0.2,
        batch_size: 32,
        ..job.recipe
    };
    let (measurements, _) = evaluate(&job, &pixels, &pixels).unwrap();
    assert!(measurements.get(names::VALIDATION_ACCURACY).unwrap() > 0.9);
}

#[test]
fn one_seed_gives_one_result_to_the_bit() {
    let pixels = two_sides(128);
    let result = |seed| {
        let mut job = job(small_net(pixels.shape, 2), 2, "/dev/null".into());
        job.seed = seed;
        job.recipe.flip = true;
        let (mut measurements, records) = evaluate(&job, &pixels, &pixels).unwrap();
        for timed in names::TIMED {
            measurements.0.remove(timed);
        }
        (measurements, records)
    };
    assert_eq!(result(1), result(1));
    assert_ne!(result(1).1, result(2).1);
}

#[test]
fn a_loss_that_is_not_finite_is_divergence() {
    let pixels = two_sides(128);
    let mut job = job(small_net(pixels.shape, 2), 3, "/dev/null".into());
    job.recipe.learning_rate = 1e30;
    job.recipe.gradient_clip = 0.0;
    let error = evaluate(&job, &pixels, &pixels).unwrap_err();
    assert_eq!(error.failure(), Failure::Diverged, "{error}");
    assert_eq!(error.to_string(), "the training loss is not finite in epoch 0");
}

#[test]
fn limits_end_a_trial_between_batches() {
    let pixels = two_sides(128);
    let mut job = job(small_net(pixels.shape, 2), 1_000_000, "/dev/null".into());
    job.cpu_seconds = 0.05;
    assert_eq!(evaluate(&job, &pixels, &pixels).unwrap_err().failure(), Failure::OutOfTime);
    job.cpu_seconds = 1e6;
    job.memory_bytes = 1 << 20;
    assert_eq!(evaluate(&job, &pixels, &pixels).unwrap_err().failure(), Failure::OutOfMemory);
}

#[test]
fn a_network_too_large_for_its_limit_is_given_up_in_the_first_pass() {
    let pixels = two_sides(64);
    let mut g = nas_plugin_api::graph::GraphBuilder::new();
    let x = g.input(pixels.shape);
    let mut x = g.layer(nas_plugin_api::graph::Conv2d::new(1024, 1), x);
    for _ in 0..100 {
        x = g.layer(nas_plugin_api::graph::Activation::Tanh, x);
    }
    let x = g.global_avg_pool(x);
    let logits = g.linear(2, x);
    let mut job = job(g.finish(logits).unwrap(), 1, "/dev/null".into());
    // Each of the 100 feature maps has 16 MB.
    job.memory_bytes = nas_torch::limits::resident_bytes() + (300 << 20);
    let mut watch = Watch::start(job.cpu_seconds, job.memory_bytes, false);
    let error = run(&job, &pixels, &pixels, Device::Cpu, &mut watch, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.failure(), Failure::OutOfMemory, "{error}");
    assert!(watch.usage().peak_memory_bytes < job.memory_bytes + (100 << 20));
}

#[test]
fn training_goes_on_from_kept_weights() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = two_sides(128);
    let mut first = job(small_net(pixels.shape, 2), 3, "/dev/null".into());
    first.keep_weights = Some(folder.path().join("weights.safetensors"));
    let (kept, _) = evaluate(&first, &pixels, &pixels).unwrap();
    let mut second = job(small_net(pixels.shape, 2), 1, "/dev/null".into());
    second.start_from = first.keep_weights;
    second.recipe.learning_rate = 0.0;
    second.seed = 99;
    let (_, records) = evaluate(&second, &pixels, &pixels).unwrap();
    let loss = kept.get(names::VALIDATION_LOSS).unwrap();
    assert!((records[0].train_loss - loss).abs() < 0.1, "{} against {loss}", records[0].train_loss);
}

#[test]
fn needed_measurements_are_taken() {
    let pixels = two_sides(64);
    let mut job = job(small_net(pixels.shape, 2), 1, "/dev/null".into());
    let needs = [names::LATENCY_MS, names::BATCH_LATENCY_MS, names::MULTIPLY_ADDS];
    job.needs = needs.map(str::to_owned).to_vec();
    let (measurements, _) = evaluate(&job, &pixels, &pixels).unwrap();
    for need in needs {
        assert!(measurements.get(need).unwrap() > 0.0, "{need}");
    }
    assert_eq!(measurements.get(names::PARAMETERS), Some(8.0 * 9.0 + 16.0 + 512.0 * 2.0 + 2.0));
    assert_eq!(measurements.get(names::MULTIPLY_ADDS), Some(64.0 * 72.0 + 1024.0));
    assert!(measurements.get(names::PEAK_MEMORY_BYTES).unwrap() > 1e6);
}

#[test]
fn a_network_without_parameters_is_an_error_with_a_reason() {
    let pixels = two_sides(64);
    let mut g = nas_plugin_api::graph::GraphBuilder::new();
    let x = g.input(pixels.shape);
    let x = g.global_avg_pool(x);
    let job = job(g.finish(x).unwrap(), 1, "/dev/null".into());
    let error = evaluate(&job, &pixels, &pixels).unwrap_err();
    assert_eq!(error.failure(), Failure::Error);
    assert_eq!(error.to_string(), "the network has no parameter to train");
}

#[test]
fn rates_follow_the_published_schedule() {
    let recipe = Recipe {
        learning_rate: 0.025,
        final_learning_rate: 0.001,
        drop_path: 0.2,
        ..Recipe::default()
    };
    // torch.optim.lr_scheduler.CosineAnnealingLR(T_max=50, eta_min=0.001), epochs 0, 25, 49.
    for (epoch, expected) in [(0, 0.025), (25, 0.013), (49, 0.001_023_679_258_9)] {
        let rate = schedule::learning_rate(&recipe, epoch, 50);
        assert!((rate - expected).abs() < 1e-9, "{rate}");
    }
    let constant = Recipe { schedule: Schedule::Constant, ..recipe.clone() };
    assert_eq!(schedule::learning_rate(&constant, 49, 50), 0.025);
    assert_eq!(schedule::drop_path(&recipe, 0, 50), 0.0);
    assert!((schedule::drop_path(&recipe, 25, 50) - 0.1).abs() < 1e-12);
}
