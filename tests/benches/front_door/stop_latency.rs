//! How long a stop takes: from `nas stop --now` to the last worker dead, with training under way.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::estimate::Estimate;
use crate::parts::{folder, programs};
use crate::table::{Goal, Table};

const TRIES: usize = 100;
const WORKERS: usize = 2;
/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Networks large enough, and epochs enough, that no trial ends by itself meanwhile.
const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", channels = 16, cells = 2 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 10000
execution.workers = 2
"#;

pub(crate) fn run(table: &mut Table) {
    let folder = folder();
    let mut seconds: Vec<f64> = (0..TRIES).map(|_| one(folder.path())).collect();
    seconds.sort_by(f64::total_cmp);
    let worst = seconds[TRIES - 1];
    let what =
        format!("{TRIES} stops of {WORKERS} training workers: seconds to the last one's end");
    table.line(&what, Estimate::of(seconds), Goal::Below(0.5));
    let judgement = if worst < 2.0 { "met" } else { "MISSED" };
    table.note(&format!("  the slowest of them: {worst:.3} s; below 2: {judgement}"));
}

/// One search, stopped somewhere in its first epochs.
fn one(folder: &Path) -> f64 {
    let folder = tempfile::tempdir_in(folder).expect("a new folder");
    std::fs::write(folder.path().join("search.toml"), CONFIGURATION).expect("a new file");
    let mut supervisor = nas(folder.path(), &["search", "search.toml"]);
    let run = wait_for(|| find_run(folder.path()));
    // A trial's log has a line for each epoch behind its first one.
    wait_for(|| (0..WORKERS).all(|trial| n_lines(&run, trial) > 1).then_some(()));
    let workers = workers_of(supervisor.id());
    assert_eq!(workers.len(), WORKERS);
    let asked = Instant::now();
    let mut stop = nas(folder.path(), &["stop", "last", "--now"]);
    wait_for(|| (!workers.iter().any(|&worker| is_alive(worker))).then_some(()));
    let seconds = asked.elapsed().as_secs_f64();
    stop.wait().expect("a child of this process");
    supervisor.wait().expect("a child of this process");
    seconds
}

fn nas(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(programs().join("nas"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", programs().join("bench-cache"))
        .env("XDG_STATE_HOME", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("run `make build` first")
}

fn find_run(folder: &Path) -> Option<PathBuf> {
    Some(std::fs::read_dir(folder.join("runs")).ok()?.next()?.ok()?.path())
}

fn n_lines(run: &Path, trial: usize) -> usize {
    let log = run.join("trials").join(trial.to_string()).join("log.txt");
    std::fs::read_to_string(log).map_or(0, |text| text.lines().count())
}

fn workers_of(supervisor: u32) -> Vec<u32> {
    let stat = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let is_worker = |pid: &u32| {
        stat(*pid).is_some_and(|stat| {
            let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
            stat.contains("(nas-worker)") && parent == Some(supervisor.to_string().as_str())
        })
    };
    let processes = std::fs::read_dir("/proc").expect("Linux");
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_worker)
        .collect()
}

/// One that waits to be reaped is dead.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !stat.is_empty() && !rest.starts_with('Z'))
}

fn wait_for<T>(what: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}
