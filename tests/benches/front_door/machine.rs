//! What the figures were measured on.

use std::fs;
use std::path::Path;

use crate::parts::repository;

/// Processor, memory, kernel, libtorch and load, in one line.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let processor = after(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = after(&read("/proc/meminfo"), "MemTotal").unwrap_or_else(unknown);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{processor}, {cores} processors, {memory}, Linux {}, libtorch {}, load before {}",
        kernel.trim(),
        libtorch(),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// The version of the libtorch that this was built with.
pub(crate) fn libtorch() -> String {
    let linked = repository().join(".libtorch");
    let folder = std::env::var_os("LIBTORCH").map_or(linked, |path| Path::new(&path).to_owned());
    fs::read_to_string(folder.join("build-version"))
        .map_or_else(|_| "of an unknown version".to_owned(), |version| version.trim().to_owned())
}
