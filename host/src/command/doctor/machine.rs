//! What the machine has.

use std::path::Path;

use nas_core::machine;
use time::OffsetDateTime;

use super::Finding;
use crate::output::number;

/// Below this, a worker with libtorch and a small data set hardly fits.
const LITTLE_MEMORY_BYTES: u64 = 1 << 30;
/// Below this, weights and logs of a longer run may not fit.
const LITTLE_DISK_BYTES: u64 = 1 << 30;
/// A journal is synchronised about twice a trial.
const SLOW_SYNC_SECONDS: f64 = 0.05;
/// The year in which this was written.
const EARLIEST_YEAR: i32 = 2026;

/// Looks at memory, disk, clock and energy, for runs in this folder.
pub(super) fn look(runs: &Path) -> Vec<(&'static str, Finding)> {
    let absolute = std::path::absolute(runs).unwrap_or_else(|_| runs.to_owned());
    let folder = absolute.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"));
    vec![
        ("memory", memory()),
        ("disk", disk(folder)),
        ("disk sync", sync(folder)),
        ("clock", clock()),
        ("energy", energy()),
    ]
}

fn memory() -> Finding {
    match machine::free_memory_bytes() {
        None => Finding::Poor(
            "how much is free can't be read".to_owned(),
            "mount /proc: workers' memory is watched there".to_owned(),
        ),
        Some(bytes) if bytes < LITTLE_MEMORY_BYTES => Finding::Poor(
            format!("{} are free", number::bytes(bytes as f64)),
            "use fewer `execution.workers`; a worker with libtorch needs about 0.3 GiB and its \
             data"
                .to_owned(),
        ),
        Some(bytes) => Finding::Good(format!("{} are free", number::bytes(bytes as f64))),
    }
}

fn disk(folder: &Path) -> Finding {
    let place = folder.display();
    match machine::free_disk_bytes(folder) {
        Ok(bytes) if bytes >= LITTLE_DISK_BYTES => {
            Finding::Good(format!("{} are free in {place}", number::bytes(bytes as f64)))
        }
        Ok(bytes) => Finding::Poor(
            format!("{} are free in {place}", number::bytes(bytes as f64)),
            "make room, or set `execution.runs` to a folder on another disk".to_owned(),
        ),
        Err(error) => Finding::Bad(
            format!("{place} can't be looked at: {error}"),
            "set `execution.runs` to a folder of yours".to_owned(),
        ),
    }
}

fn sync(folder: &Path) -> Finding {
    let place = folder.display();
    match machine::sync_time(folder).map(|time| time.as_secs_f64()) {
        Ok(seconds) if seconds < SLOW_SYNC_SECONDS => {
            Finding::Good(format!("{:.2} ms in {place}", seconds * 1e3))
        }
        Ok(seconds) => Finding::Poor(
            format!("{:.0} ms in {place}: each trial waits for it about twice", seconds * 1e3),
            "set `execution.runs` to a folder on a local disk".to_owned(),
        ),
        Err(error) => Finding::Bad(
            format!("nothing can be written in {place}: {error}"),
            "set `execution.runs` to a folder of yours".to_owned(),
        ),
    }
}

/// Budgets, limits and heartbeats are measured by a clock that can't be set.
fn clock() -> Finding {
    let now = OffsetDateTime::now_utc();
    let text = format!("{} {:02}:{:02} UTC", now.date(), now.hour(), now.minute());
    match now.year() >= EARLIEST_YEAR {
        true => Finding::Good(text),
        false => Finding::Poor(
            text,
            "set it: journals and reports carry it (no budget depends on it)".to_owned(),
        ),
    }
}

fn energy() -> Finding {
    match machine::energy_is_readable() {
        Some(true) => Finding::Good("the processors' counters can be read (RAPL)".to_owned()),
        Some(false) => Finding::Poor(
            "the processors' counters can't be read (RAPL)".to_owned(),
            "let this user read /sys/class/powercap/*/energy_uj".to_owned(),
        ),
        None => Finding::Poor(
            "this machine shows no counters (RAPL), as is usual in a virtual one".to_owned(),
            "nothing; searches run without".to_owned(),
        ),
    }
}
