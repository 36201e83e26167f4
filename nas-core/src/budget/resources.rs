//! What a running process uses, read from outside: its word is not taken for it.

use rustix::process::Pid;

/// Processor seconds of a process and all its threads since it started, to the nanosecond; `None`
/// once it has been waited for.
#[must_use]
pub fn cpu_seconds(pid: Pid) -> Option<f64> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls only write to the places given, which live here.
    let is_read = unsafe {
        libc::clock_getcpuclockid(pid.as_raw_nonzero().get(), &raw mut clock) == 0
            && libc::clock_gettime(clock, &raw mut time) == 0
    };
    is_read.then_some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

/// Resident bytes of a process; `None` once it has been waited for.
#[must_use]
pub fn resident_bytes(pid: Pid) -> Option<u64> {
    let path = format!("/proc/{}/statm", pid.as_raw_nonzero());
    let pages: u64 = std::fs::read_to_string(path).ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
