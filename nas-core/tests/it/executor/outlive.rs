//! Nothing outlives its supervisor.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nas_core::executor::Executor;

use super::fake::{PATIENCE, PROGRAM, Told, children, executor, is_alive, job, program};

/// Set in the process that plays the supervisor: what it does.
const ROLE: &str = "NAS_TEST_SUPERVISOR";

/// Not a test by itself: a supervisor that waits to be killed, in a process of its own.
#[test]
fn a_supervisor() {
    let Ok(rules) = std::env::var(ROLE) else { return };
    let mut executor = executor(2);
    (0..2).for_each(|trial| executor.submit(job(trial, &rules)));
    let mut told = Told::default();
    let _ = told.wait(&mut executor, 2);
}

/// A process that plays the supervisor, its workers, and what these started.
struct Family {
    supervisor: std::process::Child,
    members: Vec<i32>,
}

impl Family {
    /// Starts a supervisor with two workers that follow these rules, and waits for all of them.
    fn start(rules: &str, n_members: usize) -> Self {
        // By this name it is found even where a new build has replaced the file meanwhile.
        let supervisor = Command::new("/proc/self/exe")
            .args(["--exact", "executor::outlive::a_supervisor", "--nocapture"])
            .env(ROLE, rules)
            .env(PROGRAM, program())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = i32::try_from(supervisor.id()).unwrap();
        let mut family = Self { supervisor, members: Vec::new() };
        let started = Instant::now();
        while family.members.len() < n_members {
            assert!(started.elapsed() < PATIENCE, "only {:?} of {n_members}", family.members);
            std::thread::sleep(Duration::from_millis(20));
            // By name: a worker that was only just forked is still the supervisor's likeness.
            let workers: Vec<i32> = children(pid)
                .into_iter()
                .filter(|&pid| ["nas-fake-worker", "nas-guard"].contains(&name(pid).as_str()))
                .collect();
            let grandchildren = workers.iter().flat_map(|&worker| children(worker));
            family.members = grandchildren.chain(workers.clone()).collect();
        }
        family
    }

    /// How long after the supervisor's end the last of the others ended.
    fn kill(mut self) -> Duration {
        self.supervisor.kill().unwrap();
        self.supervisor.wait().unwrap();
        let killed = Instant::now();
        while self.members.iter().any(|&pid| is_alive(pid)) {
            assert!(killed.elapsed() < PATIENCE, "some of {:?} live on", self.members);
            std::thread::sleep(Duration::from_millis(2));
        }
        killed.elapsed()
    }
}

fn name(pid: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

#[test]
fn workers_and_their_children_end_when_the_supervisor_is_killed() {
    // A guard, two workers that ignore SIGTERM, and a child of each that ignores it too.
    let family = Family::start("fork,hang", 5);
    let lag = family.kill();
    println!("after kill -9 of the supervisor: all gone in {:.1} ms", lag.as_secs_f64() * 1e3);
    assert!(lag < Duration::from_secs(2), "{lag:?}");
}

#[test]
fn workers_end_with_the_supervisor_even_without_the_guard() {
    let mut family = Family::start("spin", 3);
    let guard = *family.members.iter().find(|&&pid| name(pid) == "nas-guard").unwrap();
    assert!(Command::new("kill").args(["-9", &guard.to_string()]).status().unwrap().success());
    family.members.retain(|&pid| pid != guard);
    let lag = family.kill();
    assert!(lag < Duration::from_secs(2), "{lag:?}");
}

#[test]
fn a_workers_child_ends_with_its_trial_when_that_is_killed() {
    let mut executor = executor(1);
    let mut forking = job(0, "fork,hang");
    forking.reservation.wall_seconds = 0.5;
    executor.submit(forking);
    let own = i32::try_from(std::process::id()).unwrap();
    let mut sleepers = Vec::new();
    let mut told = Told::default();
    while told.completions.is_empty() {
        told.take(executor.poll(Duration::from_millis(20)).unwrap());
        let workers = children(own).into_iter().filter(|&pid| name(pid) == "nas-fake-worker");
        sleepers.extend(workers.flat_map(children));
    }
    assert!(!sleepers.is_empty());
    std::thread::sleep(Duration::from_millis(50));
    assert!(!sleepers.iter().any(|&pid| is_alive(pid)), "{sleepers:?}");
    drop(executor);
}
