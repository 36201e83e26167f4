//! Removing copies of libraries that are on nobody's search path any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A copy that is younger may belong to a library that was named explicitly, or to a search that
/// began before its library was built again.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Removes folders of digests that are not `wanted`, a week after they were written. What can't
/// be removed stays: this only saves space.
pub(super) fn prune(cache: &Path, wanted: &BTreeSet<&str>) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_unwanted =
            name.to_str().is_some_and(|name| is_digest(name) && !wanted.contains(name));
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|at| at.elapsed());
        if is_unwanted && matches!(age, Ok(Ok(age)) if age > KEPT) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
