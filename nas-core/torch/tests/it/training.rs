//! Training: it learns, it repeats itself bit for bit, it notices when it diverges.

use std::path::Path;

use nas_core::digest::sha256_of;
use nas_core::protocol::recipe::{Optimizer, Recipe, Schedule};
use nas_core::protocol::{Failure, KeptTraining, TrialJob};
use nas_plugin_api::measurement::{EpochRecord, Measurements, names};
use nas_torch::data::Split;
use nas_torch::limits::Watch;
use nas_torch::pixels::Pixels;
use nas_torch::schedule;
use nas_torch::trial::run;
use nas_torch::trial_error::TrialError;
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

/// Everything but what is timed.
fn exact(mut measurements: Measurements) -> Measurements {
    measurements.0.retain(|name, _| !names::TIMED.contains(&name.as_str()));
    measurements
}

/// Trains in one piece of 4 epochs, and in pieces of 1 and 2 and 1: the same numbers, bit for bit.
#[track_caller]
fn check_pieces(change: impl Fn(&mut Recipe)) {
    let folder = tempfile::tempdir().unwrap();
    let pixels = two_sides(192);
    let new_job = |epochs: u32, seed: u64| {
        let mut job = job(small_net(pixels.shape, 2), epochs, "/dev/null".into());
        (job.schedule_epochs, job.seed) = (4, seed);
        job.recipe.crop_padding = 2;
        change(&mut job.recipe);
        job
    };
    let mut whole = new_job(4, 3);
    whole.keep_weights = Some(folder.path().join("whole.safetensors"));
    let (expected, curve) = evaluate(&whole, &pixels, &pixels).unwrap();
    let mut from = None;
    let mut curve_in_pieces = Vec::new();
    // A trial has a seed of its own; the one of the first piece counts.
    for (epochs, seed) in [(1, 3), (3, 77), (4, 99)] {
        let mut piece = new_job(epochs, seed);
        let file = folder.path().join(format!("after_{epochs}.safetensors"));
        piece.continue_from = from;
        piece.keep_checkpoint = Some(file.clone());
        piece.keep_weights = Some(folder.path().join("pieces.safetensors"));
        let (found, records) = evaluate(&piece, &pixels, &pixels).unwrap();
        let sha256 = sha256_of(&file).unwrap();
        from = Some(KeptTraining { file, sha256 });
        curve_in_pieces.extend(records);
        if epochs == 4 {
            assert_eq!(exact(found), exact(expected.clone()));
        }
    }
    let numbers = |curve: &[EpochRecord]| -> Vec<(u32, f64, f64)> {
        curve.iter().map(|record| (record.epoch, record.train_loss, record.learning_rate)).collect()
    };
    assert_eq!(numbers(&curve_in_pieces), numbers(&curve));
    let weights = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(weights("pieces.safetensors") == weights("whole.safetensors"));
}

#[test]
fn a_training_in_pieces_is_the_same_as_in_one() {
    check_pieces(|recipe| recipe.momentum = 0.9);
    check_pieces(|recipe| recipe.optimizer = Optimizer::Adam);
    check_pieces(|recipe| recipe.schedule = Schedule::Restarts);
}

#[test]
fn an_unfinished_training_is_evaluated_with_statistics_of_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = two_sides(192);
    let file = |name: &str| folder.path().join(name);
    let run = |recalibration_batches: u32, schedule_epochs: u32| {
        let name = format!("{recalibration_batches}_{schedule_epochs}");
        let mut job = job(small_net(pixels.shape, 2), 1, "/dev/null".into());
        job.schedule_epochs = schedule_epochs;
        job.recipe.recalibration_batches = recalibration_batches;
        job.keep_checkpoint = Some(file(&format!("checkpoint_{name}")));
        job.keep_weights = Some(file(&format!("weights_{name}")));
        let (found, _) = evaluate(&job, &pixels, &pixels).unwrap();
        let read = |what: &str| std::fs::read(file(&format!("{what}_{name}"))).unwrap();
        (found.get(names::VALIDATION_LOSS).unwrap(), read("checkpoint"), read("weights"))
    };
    let ((lagging, plain, weights), (anew, kept, weights_anew)) = (run(0, 4), run(3, 4));
    // The statistics of one epoch are still half of what they began as.
    assert!(anew < 0.9 * lagging, "{anew} against {lagging}");
    assert!(plain == kept, "the training itself does not notice");
    assert!(weights != weights_anew, "what is kept is what was evaluated");
    // A whole training is evaluated as it is.
    assert_eq!(run(0, 1).0, run(3, 1).0);
}

#[track_caller]
fn check_unusable(spoil: impl Fn(&mut TrialJob, &Path), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let pixels = two_sides(128);
    let mut first = job(small_net(pixels.shape, 2), 2, "/dev/null".into());
    first.keep_checkpoint = Some(file.clone());
    evaluate(&first, &pixels, &pixels).unwrap();
    let mut second = job(small_net(pixels.shape, 2), 3, "/dev/null".into());
    let sha256 = sha256_of(&file).unwrap();
    second.continue_from = Some(KeptTraining { file: file.clone(), sha256 });
    spoil(&mut second, &file);
    let error = evaluate(&second, &pixels, &pixels).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused_with_the_reason() {
    check_unusable(|_, file| std::fs::write(file, "spoilt").unwrap(), "changed or damaged");
    check_unusable(|_, file| std::fs::remove_file(file).unwrap(), "No such file");
    check_unusable(|job, _| job.epochs = 2, "2 epochs are wanted, and 2 are over");
    check_unusable(|job, _| job.recipe.optimizer = Optimizer::Adam, "it has no `optimizer_1`");
    check_unusable(|job, _| job.graph = small_net([1, 8, 8], 3), "this network needs");
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
        let rate = schedule::learning_rate(&recipe, epoch, 0.5, 50);
        assert!((rate - expected).abs() < 1e-9, "{rate}");
    }
    let constant = Recipe { schedule: Schedule::Constant, ..recipe.clone() };
    assert_eq!(schedule::learning_rate(&constant, 49, 0.5, 50), 0.025);
    assert_eq!(schedule::drop_path(&recipe, 0, 50), 0.0);
    assert!((schedule::drop_path(&recipe, 25, 50) - 0.1).abs() < 1e-12);
}

#[test]
fn rates_restart_where_rungs_end() {
    let recipe = Recipe {
        learning_rate: 0.4,
        final_learning_rate: 0.0,
        schedule: Schedule::Restarts,
        ..Recipe::default()
    };
    let rate = |epoch, share| schedule::learning_rate(&recipe, epoch, share, 10);
    // Cycles of the epochs 0; 1 and 2; 3 to 8; and 9, where the training ends.
    for first in [0, 1, 3, 9] {
        assert_eq!(rate(first, 0.0), 0.4, "at epoch {first}");
    }
    for last in [0, 2, 8, 9] {
        assert!(rate(last, 0.999) < 0.001, "in epoch {last}: {}", rate(last, 0.999));
    }
    // Halfway in each.
    for (epoch, share) in [(0, 0.5), (2, 0.0), (6, 0.0), (9, 0.5)] {
        assert!((rate(epoch, share) - 0.2).abs() < 1e-12, "at {epoch} and {share}");
    }
    let slow = Recipe { restart_epochs: 2, restart_factor: 2, ..recipe.clone() };
    let restarts: Vec<u32> =
        (0..16).filter(|&epoch| schedule::learning_rate(&slow, epoch, 0.0, 16) == 0.4).collect();
    assert_eq!(restarts, [0, 2, 4, 8]);
}
