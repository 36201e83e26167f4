//! How long the command line takes to answer.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::estimate::Estimate;
use crate::parts::programs;
use crate::table::{Goal, Table};

const RUNS: usize = 41;

pub(crate) fn run(table: &mut Table) {
    for arguments in [&["--help"][..], &["plugin", "list"]] {
        // Fills the cache of plugins, and the kernel's of files.
        milliseconds(arguments);
        let times = (0..RUNS).map(|_| milliseconds(arguments)).collect();
        let what = format!("nas {}, ms", arguments.join(" "));
        table.line(&what, Estimate::of(times), Goal::Below(50.0));
    }
}

fn milliseconds(arguments: &[&str]) -> f64 {
    let began = Instant::now();
    let status = Command::new(programs().join("nas"))
        .args(arguments)
        .env("XDG_CACHE_HOME", programs().join("bench-cache"))
        .stdout(Stdio::null())
        .status()
        .expect("run `make build` first");
    assert!(status.success());
    began.elapsed().as_secs_f64() * 1e3
}
