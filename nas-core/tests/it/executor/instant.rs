//! The executor without processes.

use std::time::Duration;

use nas_core::executor::{Executor, InstantExecutor};
use nas_plugin_api::measurement::Measurements;

use super::fake::{job, run};

fn order(seed: Option<u64>) -> Vec<u64> {
    let mut executor = InstantExecutor::measuring(3, |_| Measurements::default());
    if let Some(seed) = seed {
        executor = executor.shuffled(seed);
    }
    let told = run(&mut executor, (0..12).map(|trial| job(trial, "")).collect());
    told.completions.iter().map(|done| done.trial).collect()
}

#[test]
fn it_completes_in_order_unless_it_is_shuffled() {
    assert_eq!(order(None), (0..12).collect::<Vec<_>>());
    let shuffled = order(Some(1));
    assert_eq!(shuffled, order(Some(1)));
    assert_ne!(shuffled, order(None));
    assert_ne!(shuffled, order(Some(2)));
    for (place, &trial) in shuffled.iter().enumerate() {
        assert!(trial < place as u64 + 3, "{trial} overtook a trial that no worker held");
    }
}

#[test]
fn it_stops_what_it_has_not_completed() {
    let mut executor = InstantExecutor::measuring(1, |_| Measurements::default());
    executor.submit(job(0, ""));
    executor.submit(job(1, ""));
    executor.cancel(0);
    assert_eq!(executor.stop_all(Duration::ZERO).len(), 2);
    assert!(executor.poll(Duration::ZERO).unwrap().is_empty());
}
