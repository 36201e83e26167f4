//! Ending a trial, and everything.

use std::time::{Duration, Instant};

use nas_core::executor::{Executor, ExecutorError, TrialFailure};

use super::fake::{PATIENCE, Told, assert_finished, executor, failure, job};

#[test]
fn a_cancelled_trial_is_stopped_and_the_next_one_runs() {
    let mut executor = executor(1);
    let mut told = Told::default();
    [job(0, "slow=5"), job(1, ""), job(2, "")].into_iter().for_each(|job| executor.submit(job));
    executor.cancel(1);
    told.wait(&mut executor, 1).unwrap();
    executor.cancel(0);
    told.wait(&mut executor, 3).unwrap();
    assert_eq!(*failure(told.of(0)).0, TrialFailure::Stopped);
    assert_eq!(failure(told.of(1)), (&TrialFailure::Stopped, "it was stopped before it began"));
    assert_finished(told.of(2));
}

#[test]
fn stopping_completes_every_job_and_leaves_no_process() {
    let mut executor = executor(2);
    (0..4).for_each(|trial| executor.submit(job(trial, "slow=0.05,hang@1")));
    let mut told = Told::default();
    told.wait(&mut executor, 1).unwrap();
    let started = Instant::now();
    told.take(executor.stop_all(Duration::ZERO));
    let latency = started.elapsed();
    println!("stop of two workers, at once: {:.1} ms", latency.as_secs_f64() * 1e3);
    assert!(latency < Duration::from_secs(1), "{latency:?}");
    (0..4).for_each(|trial| {
        told.of(trial);
    });
    assert!(matches!(executor.poll(PATIENCE), Err(ExecutorError::Stopped)));
    assert!(executor.stop_all(Duration::ZERO).is_empty());
}

#[test]
fn a_worker_that_ignores_sigterm_is_killed_when_its_grace_is_over() {
    let mut executor = executor(1);
    executor.submit(job(0, "hang"));
    let mut told = Told::default();
    while told.n_starts() == 0 {
        told.take(executor.poll(PATIENCE).unwrap());
    }
    std::thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    told.take(executor.stop_all(Duration::from_millis(400)));
    let latency = started.elapsed();
    println!("stop of a hanging worker, 400 ms of grace: {:.1} ms", latency.as_secs_f64() * 1e3);
    assert!((400..1400).contains(&latency.as_millis()), "{latency:?}");
    assert_eq!(*failure(told.of(0)).0, TrialFailure::Stopped);
}
