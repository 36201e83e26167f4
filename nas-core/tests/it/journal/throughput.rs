//! How fast a journal takes groups; printed, and held against a bound that any machine meets.

use std::sync::Arc;

use nas_core::budget::{Clock, RealClock};
use nas_core::journal::{Event, EventLog, Journal};

use super::samples::whole_trial;

#[test]
fn a_group_costs_little_more_than_its_fsync() {
    const GROUPS: u64 = 60;
    let groups: Vec<Vec<Event>> = (0..GROUPS)
        .map(|group| (0..32).flat_map(|trial| whole_trial(32 * group + trial)).collect())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(RealClock::new());
    let mut journal = Journal::create(folder.path(), clock.clone()).unwrap();
    let mut milliseconds = Vec::new();
    for group in &groups {
        let before = clock.now();
        journal.append(group).unwrap();
        milliseconds.push((clock.now() - before).as_secs_f64() * 1e3);
    }
    milliseconds.sort_by(f64::total_cmp);
    let median = milliseconds[milliseconds.len() / 2];
    println!(
        "{} events a group: median {median:.2} ms, worst {:.2} ms",
        groups[0].len(),
        milliseconds.last().unwrap()
    );
    assert!(median < 500.0, "{median} ms for a group");
}
