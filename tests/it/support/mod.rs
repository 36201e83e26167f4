//! A search in a folder of its own, run by the built programs.

pub(crate) mod rigged_digits;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nas_core::journal::{Event, Journal};

mod signer;

pub(crate) use signer::Signer;

/// Where cargo puts what it builds.
pub(crate) fn programs() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().to_owned()
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A folder with a configuration, its runs, and a worker that answers at once or misbehaves.
pub(crate) struct Sandbox {
    pub(crate) folder: tempfile::TempDir,
    worker: PathBuf,
    rules: String,
    plugins: Option<PathBuf>,
}

impl Sandbox {
    /// With a worker that computes nothing; its rules are those of `tests/fixtures/fake-worker`.
    pub(crate) fn with_fake_worker(rules: &str) -> Self {
        let mut sandbox = Self::with_real_worker();
        // A copy, so that its processes can be told from those of other tests.
        sandbox.worker = sandbox.folder.path().join("fake-worker");
        std::fs::copy(programs().join("nas-fake-worker"), &sandbox.worker)
            .expect("run `make build` first");
        sandbox.rules = rules.to_owned();
        sandbox
    }

    /// With libtorch.
    pub(crate) fn with_real_worker() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let worker = programs().join("nas-worker");
        Self { folder, worker, rules: String::new(), plugins: None }
    }

    /// With libtorch, in processes that can be told from those of other tests.
    pub(crate) fn with_own_real_worker() -> Self {
        let mut sandbox = Self::with_real_worker();
        sandbox.worker = sandbox.folder.path().join("own-worker");
        std::fs::copy(programs().join("nas-worker"), &sandbox.worker)
            .expect("run `make build` first");
        sandbox
    }

    /// Searches this folder for plugins, too.
    pub(crate) fn with_plugins(mut self, folder: &Path) -> Self {
        self.plugins = Some(folder.to_owned());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.path("search.toml"), text).unwrap();
    }

    pub(crate) fn nas(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs().join("nas"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NAS_WORKER", &self.worker)
            .env("NAS_FAKE_WORKER", &self.rules)
            .env("XDG_CACHE_HOME", programs().join("test-cache"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            // cargo's own, beneath which the cache lies: a worker may read its libraries.
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("NAS_ANCHOR")
            .env_remove("NAS_POLICY")
            .env_remove("NAS_POLICY_KEY")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        if let Some(plugins) = &self.plugins {
            command.env("NAS_PLUGIN_PATH", plugins);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.nas(arguments).output().unwrap()
    }

    /// Runs the search to its end.
    #[track_caller]
    pub(crate) fn search(&self, arguments: &[&str]) -> Output {
        let output = self.run(&[&["search", "search.toml"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output));
        output
    }

    /// Starts something that is going to be killed.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.nas(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The newest run's folder; one that was cut off before it began is none.
    pub(crate) fn run_folder(&self) -> Option<PathBuf> {
        let mut runs: Vec<PathBuf> = std::fs::read_dir(self.path("runs"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|run| {
                Journal::read_only(run).is_ok_and(|journal| journal.events().next().is_some())
            })
            .collect();
        runs.sort();
        runs.into_iter().next_back()
    }

    /// The only run's folder, whatever its journal is like.
    pub(crate) fn run_folder_even_if_damaged(&self) -> PathBuf {
        let mut runs = std::fs::read_dir(self.path("runs")).unwrap();
        runs.next().unwrap().unwrap().path()
    }

    /// What the run's journal says; the chain is checked on the way.
    pub(crate) fn events(&self) -> Vec<Event> {
        let folder = self.run_folder().expect("there is a run");
        let journal = Journal::read_only(&folder).unwrap();
        journal.verify().unwrap();
        journal.events().map(|recorded| recorded.unwrap().event).collect()
    }

    /// Processes of this sandbox's own worker that are alive.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| {
                std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == self.worker)
            })
            .collect()
    }

    /// Processes of this sandbox that are alive: supervisors, their guards, and workers.
    fn processes(&self) -> Vec<(u32, String)> {
        let folder = self.folder.path().canonicalize().unwrap();
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| {
                std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)
            })
            .map(|pid| {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
                (pid, name.unwrap_or_default().trim_end().to_owned())
            })
            .collect()
    }

    /// Waits until no process is left.
    #[track_caller]
    pub(crate) fn assert_no_process_left(&self, limit: Duration) {
        let began = Instant::now();
        while !self.processes().is_empty() {
            assert!(began.elapsed() < limit, "{:?} are left", self.processes());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until no worker is left.
    #[track_caller]
    pub(crate) fn assert_workers_end_within(&self, limit: Duration) {
        let began = Instant::now();
        while !self.workers().is_empty() {
            assert!(began.elapsed() < limit, "{:?} outlive their supervisor", self.workers());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What a run may spend.
pub(crate) struct Limits {
    pub(crate) trials: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) wall_seconds: f64,
}

impl Limits {
    /// Checks what these events charge, all sessions of the run together.
    #[track_caller]
    pub(crate) fn assert_kept(&self, events: &[Event], run: u64) {
        let dispatched = |event: &Event| match event {
            Event::Dispatched { trial, .. } => Some(*trial),
            _ => None,
        };
        let trials: HashSet<u64> = events.iter().filter_map(dispatched).collect();
        assert!(trials.len() as u64 <= self.trials, "run {run}: {} trials", trials.len());
        let charged = |event: &Event| match event {
            Event::Ended { usage, .. }
            | Event::Abandoned { usage, .. }
            | Event::Audited { usage, .. }
            | Event::HoldoutUnread { usage, .. }
            | Event::Overhead { usage, .. } => usage.cpu_seconds,
            _ => 0.0,
        };
        let cpu_seconds: f64 = events.iter().map(charged).sum();
        // What is charged in full adds up to the limit, but for the last bit.
        assert!(cpu_seconds <= self.cpu_seconds + 1e-9, "run {run}: {cpu_seconds} CPU seconds");
        for event in events {
            if let Event::Stopped { spent, .. } = event {
                let (found, limit) = (spent.wall_seconds, self.wall_seconds);
                assert!(found <= limit + 1.0, "run {run}: {found} wall seconds of {limit}");
            }
        }
    }
}

/// What a command printed.
pub(crate) fn text(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}{err}", output.status)
}

/// Asks, proposals, results and tells, without times: what must be equal in equal searches.
pub(crate) fn story(events: &[Event]) -> Vec<String> {
    let tell = |event: &Event| match event {
        Event::Asked { slots, answer, .. } => Some(format!("asked {slots}: {answer:?}")),
        Event::Settled { trial, result } => Some(format!("settled {trial}: {result:?}")),
        Event::Told { trials } => Some(format!("told {trials:?}")),
        _ => None,
    };
    events.iter().filter_map(tell).collect()
}

/// What each trial was worth, by trial.
pub(crate) fn scores(events: &[Event]) -> Vec<(u64, Vec<f64>)> {
    let mut scores: Vec<(u64, Vec<f64>)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Ended { trial, result, .. } => Some((*trial, result.objectives.clone())),
            _ => None,
        })
        .collect();
    scores.sort_by_key(|(trial, _)| *trial);
    scores
}

/// A small stream of random numbers for tests (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
