//! How much the process may use (resource limits).

use rustix::process::{Resource, Rlimit, setrlimit};

use super::Enforcement;

/// Sets limits of memory, processor time, file sizes and open files. Without libtorch, an
/// address-space limit is a memory limit.
pub(super) fn restrict() -> Enforcement {
    let limits = [
        (Resource::As, 1 << 30),
        // Longer than the parent waits: it only matters where the parent was stopped.
        (Resource::Cpu, 10),
        (Resource::Fsize, 0),
        (Resource::Nofile, 32),
        (Resource::Core, 0),
    ];
    let set = |(resource, value)| {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).is_ok()
    };
    match limits.map(set) {
        [true, true, true, true, true] => Enforcement::Full,
        [false, false, false, false, false] => Enforcement::None,
        _ => Enforcement::Partial,
    }
}
