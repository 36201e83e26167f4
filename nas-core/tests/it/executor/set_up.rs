//! Workers that can't be set up.

use std::time::Duration;

use nas_core::executor::{Executor, ExecutorError, LocalExecutor, TrialFailure, run_audit};
use nas_core::protocol::AuditJob;
use nas_plugin_api::measurement::names;

use super::fake::{PATIENCE, Told, failure, job, options, program, run};

fn error_of(setup_rules: &str) -> (ExecutorError, Told) {
    let mut executor = LocalExecutor::new(options(2, setup_rules)).unwrap();
    executor.submit(job(0, ""));
    let mut told = Told::default();
    loop {
        match executor.poll(PATIENCE) {
            Ok(updates) => {
                assert!(!updates.is_empty());
                told.take(updates);
            }
            Err(error) => return (error, told),
        }
    }
}

#[test]
fn workers_that_die_in_a_row_end_the_executor_with_their_last_words() {
    let (error, told) = error_of("setup-crash");
    assert_eq!(
        error.to_string(),
        "keep a worker alive: 5 died in a row while being set up; the last the worker was ended by \
         signal 6 (SIGABRT, aborted itself) while it was being set up; it wrote: \
         libtorch_cpu.so: cannot open shared object file"
    );
    assert_eq!(told.overhead.len(), 5);
    assert_eq!(*failure(told.of(0)).0, TrialFailure::Stopped);
}

#[test]
fn a_refusal_ends_the_executor_at_once() {
    let (error, told) = error_of("setup-refuse");
    assert!(matches!(error, ExecutorError::Refused { .. }), "{error}");
    assert!(error.to_string().ends_with("this libtorch sees no GPU; use `cpu`"));
    assert_eq!(told.overhead.len(), 1);
}

#[test]
fn a_missing_program_is_named() {
    let mut options = options(1, "");
    options.program = "/nowhere/nas-worker".into();
    let mut executor = LocalExecutor::new(options).unwrap();
    executor.submit(job(0, ""));
    let mut told = Told::default();
    told.wait(&mut executor, 1).unwrap();
    let error = executor.poll(PATIENCE).unwrap_err();
    assert!(error.to_string().contains("`/nowhere/nas-worker`: build it"), "{error}");
}

#[test]
fn the_start_of_a_worker_is_charged_as_overhead() {
    let mut executor = LocalExecutor::new(options(1, "setup-burn=0.2")).unwrap();
    let mut told = run(&mut executor, vec![job(0, "")]);
    told.take(executor.stop_all(Duration::ZERO));
    let (what, usage) = &told.overhead[0];
    assert_eq!(what, "worker start");
    assert!(usage.cpu_seconds >= 0.2 && usage.wall_seconds >= 0.2, "{usage:?}");
    assert!(told.of(0).usage.cpu_seconds < 0.1);
}

#[test]
fn an_audit_has_a_worker_of_its_own() {
    let audit = |rules| {
        let like = job(3, "");
        let job = AuditJob {
            trial: 3,
            graph: like.work.graph,
            weights: "weights.safetensors".into(),
            batch_size: 64,
        };
        run_audit(program(), options(1, rules).setup, job, &like.reservation, &|| false)
    };
    let (measurements, usage) = audit("setup-burn=0.1");
    assert_eq!(measurements.unwrap().get(names::HOLDOUT_ACCURACY), Some(0.875));
    assert!(usage.cpu_seconds >= 0.1, "{usage:?}");
    let error = audit("setup-crash").0.unwrap_err().to_string();
    assert!(error.starts_with("audit a network: the worker was ended by signal 6"), "{error}");
    assert!(error.ends_with("cannot open shared object file"), "{error}");
    let error = audit("setup-refuse").0.unwrap_err().to_string();
    assert!(error.starts_with("audit a network: device `cuda`"), "{error}");
}
