//! Hard limits hold, and everything is charged.

use nas_core::executor::{Executor, Job, TrialFailure};
use std::time::Duration;

use super::fake::{MIB, assert_finished, executor, failure, job, run};

fn limited(mut job: Job, change: impl FnOnce(&mut nas_core::budget::Reservation)) -> Job {
    change(&mut job.reservation);
    job
}

#[test]
fn a_hanging_trial_ends_at_its_wall_limit() {
    let mut executor = executor(1);
    let hanging = limited(job(0, "hang"), |limits| limits.wall_seconds = 0.3);
    let told = run(&mut executor, vec![hanging, job(1, "")]);
    let (kind, message) = failure(told.of(0));
    assert_eq!(*kind, TrialFailure::TimedOut);
    assert!(message.contains("seconds, 0.28 allowed"), "{message}");
    assert!(told.of(0).usage.wall_seconds < 2.0, "{told:?}");
    assert_finished(told.of(1));
}

#[test]
fn processor_time_never_passes_the_reservation_by_much() {
    const LIMIT: f64 = 0.1;
    let mut executor = executor(1);
    let spinning = |trial| limited(job(trial, "spin"), |limits| limits.cpu_seconds = LIMIT);
    let told = run(&mut executor, (0..20).map(spinning).collect());
    let mut worst = f64::NEG_INFINITY;
    for completion in &told.completions {
        let (kind, message) = failure(completion);
        assert_eq!(*kind, TrialFailure::TimedOut, "{message}");
        worst = worst.max(completion.usage.cpu_seconds - LIMIT);
    }
    println!("charged beyond a reservation of {LIMIT} s, worst of 20: {:.1} ms", worst * 1e3);
    // One turn of a busy machine's scheduler; on an idle one it is below zero.
    assert!(worst < 0.1, "{worst} s too much");
}

#[test]
fn memory_without_bound_ends_at_its_limit() {
    const LIMIT: u64 = 256 * MIB;
    let mut executor = executor(1);
    let bloating = |trial| limited(job(trial, "bloat"), |limits| limits.memory_bytes = LIMIT);
    let told = run(&mut executor, vec![bloating(0), bloating(1), bloating(2), job(3, "")]);
    for trial in 0..3 {
        let (kind, message) = failure(told.of(trial));
        assert_eq!(*kind, TrialFailure::OutOfMemory);
        assert!(message.ends_with("256 MiB allowed"), "{message}");
        let peak = told.of(trial).usage.peak_memory_bytes;
        println!("peak at a limit of 256 MiB: {} MiB", peak / MIB);
        assert!(peak < LIMIT + 1024 * MIB);
    }
    assert_finished(told.of(3));
}

#[test]
fn a_worker_that_gives_up_by_itself_lives_on() {
    let mut executor = executor(1);
    let burning = limited(job(0, "burn=0.6"), |limits| limits.cpu_seconds = 0.45);
    let mut honest = burning.clone();
    // Two of three epochs pass its own limit, which lies below the hard one.
    honest.work.cpu_seconds = 0.3;
    let mut told = run(&mut executor, vec![honest, job(1, "")]);
    let (kind, message) = failure(told.of(0));
    assert_eq!(*kind, TrialFailure::TimedOut);
    assert!(message.contains("0.30 allowed"), "{message}");
    told.take(executor.stop_all(Duration::ZERO));
    assert_eq!(told.n_starts(), 1);
}

#[test]
fn what_a_worker_conceals_is_charged_all_the_same() {
    let mut executor = executor(1);
    let told = run(&mut executor, vec![job(0, "burn=0.2,lie"), job(1, "lie")]);
    let charged = told.of(0).usage.cpu_seconds;
    assert!((0.2..0.5).contains(&charged), "{charged}");
    assert!(told.of(1).usage.cpu_seconds < 0.1);
    assert!(told.of(0).usage.peak_memory_bytes > 0);
}

#[test]
fn each_processor_second_is_charged_once() {
    let before = reaped_cpu_seconds();
    let mut executor = super::fake::executor(2);
    let jobs = vec![
        job(0, "burn=0.1"),
        limited(job(1, "spin"), |limits| limits.cpu_seconds = 0.2),
        job(2, "burn=0.1,segfault"),
        job(3, "burn=0.1,lie"),
    ];
    let mut told = run(&mut executor, jobs);
    told.take(executor.stop_all(Duration::ZERO));
    let charged = told.cpu_seconds();
    // 0.1 + 0.17 until the kill + 0.033 in the first epoch + 0.1.
    assert!((0.38..0.8).contains(&charged), "{charged} {told:?}");
    // Other tests' workers end meanwhile too, so the kernel's sum is only an upper bound.
    assert!(charged <= reaped_cpu_seconds() - before + 0.01, "{charged}");
}

/// Processor seconds of all children of this process that were waited for.
fn reaped_cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap();
    ticks / 100.0
}
