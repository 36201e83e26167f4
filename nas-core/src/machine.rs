//! What this machine has: memory, disk, and how long it takes to be sure of what is written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::budget::{Clock, RealClock};

/// Memory that processes can still get without swapping, in bytes.
#[must_use]
pub fn free_memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// What this user can still write in a folder, in bytes.
///
/// # Errors
/// What the system says.
pub fn free_disk_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// How long a few kilobytes take to be on the disk of a folder for sure: the median of nine.
///
/// # Errors
/// What the system says.
pub fn sync_time(folder: &Path) -> io::Result<Duration> {
    let path = folder.join(format!(".nas-sync-{}", std::process::id()));
    let clock = RealClock::new();
    let timed = File::create(&path).and_then(|mut file| {
        let mut times = Vec::new();
        for _ in 0..9 {
            let began = clock.now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(clock.now() - began);
        }
        times.sort();
        Ok(times[times.len() / 2])
    });
    let _ = fs::remove_file(&path);
    timed
}

/// Whether the energy that the processors used can be read (RAPL); `None` where there is no such
/// counter.
#[must_use]
pub fn energy_is_readable() -> Option<bool> {
    let counters = fs::read_dir("/sys/class/powercap").ok()?;
    let files = counters.filter_map(|entry| {
        let file = entry.ok()?.path().join("energy_uj");
        file.exists().then_some(file)
    });
    files.map(|file| fs::read_to_string(file).is_ok()).reduce(|one, other| one || other)
}
