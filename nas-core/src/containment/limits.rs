//! How much the process may use (resource limits).

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{Bounds, Enforcement};

/// Sets limits of memory, processor time, file sizes and open files.
pub(super) fn restrict(bounds: &Bounds) -> Enforcement {
    let limits = [
        (Resource::As, Some(bounds.address_space_bytes)),
        (Resource::Cpu, bounds.cpu_seconds),
        (Resource::Fsize, Some(0)),
        (Resource::Nofile, Some(32)),
        (Resource::Core, Some(0)),
    ];
    let set = |(resource, value): (Resource, Option<u64>)| {
        let limit = Rlimit { current: value, maximum: value };
        value.is_none() || setrlimit(resource, limit).is_ok()
    };
    match limits.map(set) {
        [true, true, true, true, true] => Enforcement::Full,
        [false, _, false, false, false] => Enforcement::None,
        _ => Enforcement::Partial,
    }
}
