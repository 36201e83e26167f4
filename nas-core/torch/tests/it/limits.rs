//! Limits: between batches, as outcomes, and counted per trial.

use nas_core::protocol::Failure;
use nas_torch::limits::{LimitError, Watch};
use nas_torch::trial_error::TrialError;

fn burn() {
    let started = nas_torch::limits::cpu_time();
    while (nas_torch::limits::cpu_time() - started).as_millis() < 30 {
        std::hint::black_box((0..10_000).sum::<u64>());
    }
}

#[test]
fn too_much_processor_time_is_noticed() {
    let mut watch = Watch::start(0.02, u64::MAX, false);
    burn();
    let error = watch.check().unwrap_err();
    assert!(matches!(error, LimitError::OutOfTime { .. }), "{error}");
    assert_eq!(TrialError::from(error).failure(), Failure::OutOfTime);
}

#[test]
fn too_much_memory_is_noticed() {
    let error = Watch::start(1e9, 1 << 20, false).check().unwrap_err();
    assert!(matches!(error, LimitError::OutOfMemory { .. }), "{error}");
    assert_eq!(TrialError::from(error).failure(), Failure::OutOfMemory);
}

#[test]
fn a_trial_is_charged_only_for_itself() {
    burn();
    let watch = Watch::unlimited();
    let usage = watch.usage();
    assert!(usage.cpu_seconds < 0.02, "{usage:?}");
    assert!(usage.peak_memory_bytes > 1 << 20, "{usage:?}");
    assert_eq!(usage.gpu_seconds, 0.0);
}

#[test]
fn libtorchs_allocator_error_counts_as_out_of_memory() {
    let error = tch::Tensor::f_zeros([1 << 45], (tch::Kind::Double, tch::Device::Cpu)).unwrap_err();
    let error = TrialError::from(error);
    assert_eq!(error.failure(), Failure::OutOfMemory, "{error}");
}
