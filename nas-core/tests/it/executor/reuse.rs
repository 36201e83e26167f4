//! Workers side by side, and from trial to trial.

use std::time::{Duration, Instant};

use nas_core::executor::{Ended, Executor, LocalExecutor};

use super::fake::{assert_finished, executor, job, options, run};

#[test]
fn one_worker_computes_trial_after_trial() {
    let mut executor = executor(1);
    let mut told = run(&mut executor, (0..20).map(|trial| job(trial, "")).collect());
    told.take(executor.stop_all(Duration::ZERO));
    assert_eq!(told.n_starts(), 1);
    assert_eq!(told.epochs, 60);
    told.completions.iter().for_each(assert_finished);
    assert!(told.completions.iter().all(|done| done.curve.len() == 3));
    let order: Vec<_> = told.completions.iter().map(|done| done.trial).collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}

#[test]
fn trials_run_at_once_up_to_the_capacity() {
    let mut executor = executor(4);
    run(&mut executor, (0..4).map(|trial| job(trial, "slow=0.01")).collect());
    let started = Instant::now();
    let told = run(&mut executor, (0..8).map(|trial| job(trial, "slow=0.1")).collect());
    let seconds = started.elapsed().as_secs_f64();
    // 8 trials of 0.3 s are 2.4 s one after the other, and 0.6 s four by four.
    assert!((0.6..1.8).contains(&seconds), "{seconds} s");
    assert_eq!(told.n_starts(), 0);
}

#[test]
fn equal_jobs_measure_the_same_in_whatever_worker() {
    let measure = |workers| {
        let mut told = run(&mut executor(workers), (0..6).map(|trial| job(trial, "")).collect());
        told.completions.sort_by_key(|done| done.trial);
        told.completions.into_iter().map(|done| done.ended).collect::<Vec<Ended>>()
    };
    assert_eq!(measure(1), measure(3));
}

#[test]
fn no_worker_starts_without_work_and_no_more_than_there_is() {
    let mut executor = executor(8);
    assert!(executor.poll(Duration::from_millis(50)).unwrap().is_empty());
    let told = run(&mut executor, vec![job(0, ""), job(1, "")]);
    assert!(told.n_starts() <= 2, "{told:?}");
}

#[test]
fn what_workers_write_to_standard_error_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(1, "");
    options.log = Some(folder.path().join("workers.log"));
    let mut executor = LocalExecutor::new(options).unwrap();
    run(&mut executor, vec![job(0, "segfault"), job(1, "abort")]);
    executor.stop_all(Duration::ZERO);
    let log = std::fs::read_to_string(folder.path().join("workers.log")).unwrap();
    assert_eq!(
        log,
        "[worker 0] the last words before a segmentation fault\n\
         [worker 1] terminate called after throwing an instance of 'c10::Error'\n"
    );
}
