//! What dispatching costs.

use std::time::Instant;

use super::fake::{Told, executor, job, run};
use nas_core::executor::Executor;

/// From `submit` to the completion of a trial that computes nothing. The bound only catches a
/// mistake (a look at the clock, a sleep); the machine that runs tests is busy.
#[test]
fn a_round_trip_takes_far_less_than_a_look_interval() {
    let mut executor = executor(1);
    run(&mut executor, vec![job(0, "")]);
    let mut micros: Vec<u128> = (1..=500)
        .map(|trial| {
            let mut work = job(trial, "");
            work.work.epochs = 1;
            let started = Instant::now();
            executor.submit(work);
            Told::default().wait(&mut executor, 1).unwrap();
            started.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    let at = |share: usize| micros[(micros.len() - 1) * share / 100];
    println!("round trip: median {} µs, 90 % {} µs, 99 % {} µs", at(50), at(90), at(99));
    assert!(at(50) < 5_000, "{} µs", at(50));
}
