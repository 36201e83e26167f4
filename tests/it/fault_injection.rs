//! Randomised runs of fake work that meet faults at random instants, and are resumed to their end:
//! no finished trial is lost, nothing is overspent, the chain verifies, no process is left.
//!
//! `NAS_TEST_RUNS` says how many runs; `make faults` does 1,000. Where the kernel lets a user mount,
//! each run has a disk of its own, which gets full.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nas_core::journal::Event;
use rusqlite::Connection;

use crate::support::{Limits, Random, Sandbox, text};

/// What `make test` has time for.
const RUNS: u64 = 60;
/// Runs side by side; most of their time they wait.
const AT_ONCE: usize = 4;

/// Set where every run has a disk of its own.
const OWN_DISKS: &str = "NAS_TEST_OWN_DISKS";

#[test]
fn randomised_runs_survive_every_fault() {
    if std::env::var_os(OWN_DISKS).is_none() && may_mount() {
        return again_where_it_may_mount();
    }
    if std::env::var_os(OWN_DISKS).is_none() {
        println!("SKIPPED: no disk gets full, since this kernel lets no user mount one");
    }
    let runs = std::env::var("NAS_TEST_RUNS").ok().and_then(|runs| runs.parse().ok());
    let runs: u64 = runs.unwrap_or(RUNS);
    let (next, met) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= runs {
                        break;
                    }
                    for fault in Run::begin(seed).play() {
                        *met.lock().unwrap().entry(format!("{fault:?}")).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    println!("{runs} runs in {:.0} s met {:?}", began.elapsed().as_secs_f64(), met.lock().unwrap());
}

/// Whether this user may have mounts of their own.
fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// Runs this very test with mounts that nobody else sees.
fn again_where_it_may_mount() {
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "fault_injection::randomised_runs_survive_every_fault", "--nocapture"])
        .env(OWN_DISKS, "yes")
        .output()
        .unwrap();
    println!("{}", text(&output));
    assert!(output.status.success() && text(&output).contains("1 passed"), "see above");
}

/// What happens to a session of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    SupervisorKilled,
    WorkersKilled,
    BothKilled,
    /// The supervisor's files can't grow beyond a random size.
    FileLimit,
    /// The disk that the run is on is full until the supervisor has ended.
    DiskFull,
    /// Another process holds SQLite's lock on the journal for a while.
    JournalBusy,
    /// Another supervisor wants the same run.
    SecondSupervisor,
    /// The same, and someone has removed the lock file.
    LockRemoved,
    StoppedNow,
    Terminated,
}

impl Fault {
    const ALL: [Self; 10] = [
        Self::SupervisorKilled,
        Self::WorkersKilled,
        Self::BothKilled,
        Self::FileLimit,
        Self::DiskFull,
        Self::JournalBusy,
        Self::SecondSupervisor,
        Self::LockRemoved,
        Self::StoppedNow,
        Self::Terminated,
    ];
}

/// One run, from its beginning through some faults to its end.
struct Run {
    seed: u64,
    random: Random,
    limits: Limits,
    /// Before the sandbox, so that it is unmounted first.
    disk: Option<Disk>,
    sandbox: Sandbox,
    n_sessions: u64,
}

impl Run {
    fn begin(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let limits = Limits {
            trials: 4 + random.below(20),
            cpu_seconds: 1.0 + random.below(300) as f64 / 100.0,
            wall_seconds: 6.0 + random.below(400) as f64 / 100.0,
        };
        // Workers that lie about what they used, about which trial it was, or about what they are.
        let lies = ["lie", "lie@1%3", "impostor@2%7", "nan@1%5", "garbage@3%8", "segfault@2%5"];
        let lie = lies[random.below(lies.len() as u64) as usize];
        let burn = random.below(60) as f64 / 1000.0;
        let slow = random.below(20) as f64 / 1000.0;
        let sandbox = Sandbox::with_fake_worker(&format!("burn={burn},slow={slow},{lie}"));
        let strategy = ["random", "regularized-evolution"][random.below(2) as usize];
        sandbox.configure(&format!(
            r#"
            seed = {seed}
            operations.name = "nb201"
            space = {{ name = "nb201", cells = 1 }}
            strategy.name = "{strategy}"
            fitness.name = "accuracy"
            data.format = "digits"
            training.epochs = 2
            execution = {{ workers = {}, deterministic = {} }}
            [budget]
            trials = {}
            cpu_seconds = {}
            wall_seconds = {}
            trial_seconds = 1.0
            "#,
            1 + random.below(3),
            random.below(2) == 0,
            limits.trials,
            limits.cpu_seconds,
            limits.wall_seconds
        ));
        let disk = std::env::var_os(OWN_DISKS).map(|_| Disk::mount(&sandbox.path("runs")));
        Self { seed, random, limits, disk, sandbox, n_sessions: 0 }
    }

    /// Lets some sessions meet a fault each and the last one none; says which faults those were.
    fn play(mut self) -> Vec<Fault> {
        let n_faults = 1 + self.random.below(3);
        let mut faults = Vec::new();
        for _ in 0..n_faults {
            let known = Fault::ALL.iter().filter(|one| match one {
                Fault::DiskFull => self.disk.is_some(),
                _ => true,
            });
            let known: Vec<Fault> = known.copied().collect();
            let fault = known[self.random.below(known.len() as u64) as usize];
            self.session(fault);
            faults.push(fault);
        }
        let seed = self.seed;
        let output = match self.folder() {
            Some(folder) => self.sandbox.run(&["resume", &folder]),
            None => self.sandbox.run(&["search", "search.toml"]),
        };
        // 5 is a budget that was spent before any trial had a result.
        let ended = [Some(0), Some(5)].contains(&output.status.code());
        assert!(ended, "run {seed} after {faults:?}: {}", text(&output));
        self.check(&faults);
        faults
    }

    /// Starts a supervisor, has something happen to it, and waits until it is gone.
    fn session(&mut self, fault: Fault) {
        let mut supervisor = self.start(fault);
        std::thread::sleep(Duration::from_millis(30 + self.random.below(300)));
        match fault {
            Fault::SupervisorKilled => kill(&mut supervisor),
            Fault::WorkersKilled => self.kill_workers(),
            Fault::BothKilled => {
                self.kill_workers();
                kill(&mut supervisor);
            }
            Fault::FileLimit => {}
            Fault::DiskFull => self.disk.iter().for_each(Disk::fill),
            Fault::JournalBusy => self.hold_journal(),
            Fault::SecondSupervisor => self.second_supervisor(false),
            Fault::LockRemoved => self.second_supervisor(true),
            Fault::StoppedNow => {
                if let Some(folder) = self.folder() {
                    self.sandbox.run(&["stop", &folder, "--now"]);
                } else {
                    kill(&mut supervisor);
                }
            }
            Fault::Terminated => signal(supervisor.id(), libc::SIGTERM),
        }
        supervisor.wait().unwrap();
        self.disk.iter().for_each(Disk::free);
        self.sandbox.assert_no_process_left(Duration::from_secs(2));
        self.n_sessions += 1;
    }

    fn start(&mut self, fault: Fault) -> Child {
        let folder = self.folder();
        let arguments = match &folder {
            Some(folder) => ["resume", folder.as_str(), "--json"],
            None => ["search", "search.toml", "--json"],
        };
        let mut command = self.sandbox.nas(&arguments);
        let told = File::create(self.told(self.n_sessions)).unwrap();
        command.stdout(Stdio::from(told)).stderr(Stdio::null());
        if fault == Fault::FileLimit {
            let room = libc::rlimit {
                rlim_cur: self.journal_bytes() + self.random.below(200_000),
                rlim_max: libc::RLIM_INFINITY,
            };
            // SAFETY: system calls only. Without the signal, a write fails as on a full disk.
            unsafe {
                command.pre_exec(move || {
                    libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                    libc::setrlimit(libc::RLIMIT_FSIZE, &raw const room);
                    Ok(())
                });
            }
        }
        command.spawn().unwrap()
    }

    fn folder(&self) -> Option<String> {
        Some(self.sandbox.run_folder()?.to_str()?.to_owned())
    }

    /// Where the supervisor of this session wrote every event, once it was in the journal.
    fn told(&self, session: u64) -> PathBuf {
        self.sandbox.path(&format!("told-{session}.jsonl"))
    }

    fn journal_bytes(&self) -> u64 {
        let Some(folder) = self.sandbox.run_folder() else { return 0 };
        let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
        size("journal.sqlite").max(size("journal.sqlite-wal"))
    }

    fn kill_workers(&self) {
        self.sandbox.workers().into_iter().for_each(|pid| signal(pid, libc::SIGKILL));
    }

    fn hold_journal(&mut self) {
        let Some(folder) = self.sandbox.run_folder() else { return };
        let Ok(connection) = Connection::open(folder.join("journal.sqlite")) else { return };
        // Taken while the supervisor writes, it may be busy itself.
        if connection.execute_batch("BEGIN IMMEDIATE").is_ok() {
            std::thread::sleep(Duration::from_millis(100 + self.random.below(800)));
            let _ = connection.execute_batch("ROLLBACK");
        }
    }

    fn second_supervisor(&self, lock_is_removed: bool) {
        let Some(folder) = self.folder() else { return };
        if lock_is_removed {
            let _ = std::fs::remove_file(Path::new(&folder).join("supervisor.lock"));
        }
        self.sandbox.run(&["resume", &folder]);
    }

    fn check(&self, faults: &[Fault]) {
        let seed = self.seed;
        // Verifies the chain.
        let events = self.sandbox.events();
        self.limits.assert_kept(&events, seed);
        let mut ended = HashSet::new();
        for event in &events {
            match event {
                Event::Ended { trial, .. } => {
                    assert!(ended.insert(*trial), "run {seed}: trial {trial} ended twice");
                }
                Event::Dispatched { trial, .. } => {
                    assert!(!ended.contains(trial), "run {seed}: trial {trial} was lost");
                }
                _ => {}
            }
        }
        let told = (0..self.n_sessions).flat_map(|session| finished(&self.told(session)));
        for trial in told {
            assert!(ended.contains(&trial), "run {seed}: the end of {trial} was told, and lost");
        }
        let stops = |event: &Event| matches!(event, Event::Stopped { .. });
        assert!(events.iter().any(stops), "run {seed} has no end");
        let verified = self.sandbox.run(&["audit", "verify", &self.folder().unwrap()]);
        assert!(verified.status.success(), "run {seed} after {faults:?}: {}", text(&verified));
        self.sandbox.assert_no_process_left(Duration::from_secs(2));
    }
}

/// A small disk that one run is on.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "none"])
            .arg(folder)
            .status();
        assert!(mounted.unwrap().success(), "a disk is mounted");
        Self(folder.to_owned())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all room that is left.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        // Most sessions have none.
        let _ = std::fs::remove_file(self.ballast());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// The trials of which a supervisor said that they ended.
fn finished(told: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(told).unwrap_or_default();
    let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
    text.lines()
        .filter_map(event)
        .filter(|event| event["event"] == "ended")
        .filter_map(|event| event["trial"].as_u64())
        .collect()
}

fn kill(supervisor: &mut Child) {
    // One that ended by itself is gone already.
    let _ = supervisor.kill();
}

fn signal(pid: u32, signal: i32) {
    // SAFETY: a plain system call, on a process of this test.
    unsafe { libc::kill(pid as i32, signal) };
}
