//! Benchmarks of what users run: built programs, real plugin libraries, real worker processes.
//!
//! `make bench` runs all of them and says how to get PyTorch; after `make build`,
//! `cargo bench -p nas-tests -- NAME` runs those whose names contain `NAME`. Nothing else should
//! run on the machine meanwhile.

mod estimate;
mod machine;
mod parts;
mod python;
mod table;

mod bench_speed;
mod false_alarms;
mod multi_fidelity;
mod policy_cost;
mod real_training;
mod search_loop;
mod start_up;
mod stop_latency;
mod time_outside_training;
mod trials_a_minute;

use table::Table;

/// Fills lines of the table.
type Bench = fn(&mut Table);

const BENCHES: [(&str, Bench); 7] = [
    ("trials_a_minute", trials_a_minute::run),
    ("time_outside_training", time_outside_training::run),
    ("search_loop", search_loop::run),
    ("policy_cost", policy_cost::run),
    ("start_up", start_up::run),
    ("stop_latency", stop_latency::run),
    ("bench_speed", bench_speed::run),
];
/// Those that take long, and so run only if they are asked for.
const LONG: [(&str, Bench); 3] = [
    ("multi_fidelity", multi_fidelity::run),
    ("real_training", real_training::run),
    ("false_alarms", false_alarms::run),
];

fn main() {
    // cargo adds options of its own.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("-")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    let mut table = Table::begin(&machine::describe());
    let long = LONG.iter().filter(|(name, _)| !wanted.is_empty() && is_wanted(name));
    for (name, run) in BENCHES.iter().filter(|(name, _)| is_wanted(name)).chain(long) {
        table.section(name);
        run(&mut table);
    }
}
