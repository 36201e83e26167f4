//! Jobs for the fake worker, and an executor that computes with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use nas_core::budget::Reservation;
use nas_core::executor::{
    Completion, Ended, Executor, ExecutorError, Job, LocalExecutor, LocalOptions, TrialFailure,
    Update,
};
use nas_core::protocol::recipe::Recipe;
use nas_core::protocol::{Setup, TrialJob, Usage};
use nas_plugin_api::graph::{Graph, Layer, Node, Shape};
use nas_plugin_api::trial::TrialId;

/// Long enough for anything that should happen at all on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const MIB: u64 = 1 << 20;

/// Names the fake worker's program where it is built already.
pub(super) const PROGRAM: &str = "NAS_TEST_FAKE_WORKER";

/// The fake worker's program, built once: a test can't depend on another package's binary.
pub(super) fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(program) = std::env::var_os(PROGRAM) {
            return program.into();
        }
        let own = std::env::current_exe().unwrap();
        let profile = own.parent().and_then(Path::parent).unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--offline", "--package", "nas-fake-worker"]);
        cargo.arg("--target-dir").arg(profile.parent().unwrap());
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the fake worker does not build");
        profile.join("nas-fake-worker")
    })
}

pub(super) fn options(workers: usize, setup_rules: &str) -> LocalOptions {
    LocalOptions {
        program: program().to_owned(),
        workers,
        setup: Setup {
            train: None,
            evaluation: format!("fake:{setup_rules}").into(),
            device: "cpu".to_owned(),
            threads: 1,
        },
        // Some of these rules are what bounds would refuse.
        bounds: None,
        log: None,
        start_seconds: 60.0,
    }
}

pub(super) fn executor(workers: usize) -> LocalExecutor {
    LocalExecutor::new(options(workers, "")).unwrap()
}

/// A job whose worker follows these rules; its limits are far away.
pub(super) fn job(trial: TrialId, rules: &str) -> Job {
    let graph = Graph {
        nodes: vec![Node {
            name: "input".to_owned(),
            layer: Layer::Input { shape: Shape(vec![1, 8, 8]) },
            inputs: Vec::new(),
        }],
        outputs: vec![0],
    };
    let work = TrialJob {
        trial,
        attempt: 0,
        graph,
        recipe: Recipe::default(),
        epochs: 3,
        data_fraction: 1.0,
        seed: trial,
        shuffles_labels: false,
        needs: vec![format!("fake:{rules}")],
        cpu_seconds: f64::INFINITY,
        memory_bytes: u64::MAX,
        keep_weights: None,
        schedule_epochs: 0,
        keep_checkpoint: None,
        continue_from: None,
        inherited: None,
        log: std::env::temp_dir().join(format!("nas-executor-test-{}.txt", std::process::id())),
    };
    let reservation = Reservation {
        wall_seconds: PATIENCE.as_secs_f64(),
        cpu_seconds: PATIENCE.as_secs_f64(),
        gpu_seconds: 0.0,
        memory_bytes: 1024 * MIB,
    };
    Job::new(work, reservation)
}

/// What an executor told, sorted.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) completions: Vec<Completion>,
    pub(super) epochs: usize,
    pub(super) overhead: Vec<(String, Usage)>,
}

impl Told {
    pub(super) fn take(&mut self, updates: Vec<Update>) {
        for update in updates {
            match update {
                Update::Completed(completion) => self.completions.push(completion),
                Update::Epoch { .. } => self.epochs += 1,
                Update::Overhead { what, usage } => self.overhead.push((what, usage)),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Polls until there are so many completions.
    pub(super) fn wait(
        &mut self,
        executor: &mut dyn Executor,
        n_completions: usize,
    ) -> Result<(), ExecutorError> {
        while self.completions.len() < n_completions {
            let updates = executor.poll(PATIENCE)?;
            assert!(!updates.is_empty(), "nothing happens: {self:?}");
            self.take(updates);
        }
        Ok(())
    }

    pub(super) fn of(&self, trial: TrialId) -> &Completion {
        let found: Vec<_> = self.completions.iter().filter(|done| done.trial == trial).collect();
        assert_eq!(found.len(), 1, "completions of trial {trial}: {self:?}");
        found[0]
    }

    /// How many workers were set up.
    pub(super) fn n_starts(&self) -> usize {
        self.overhead.iter().filter(|(what, _)| what == "worker start").count()
    }

    pub(super) fn cpu_seconds(&self) -> f64 {
        let trials = self.completions.iter().map(|done| done.usage.cpu_seconds);
        trials.chain(self.overhead.iter().map(|(_, usage)| usage.cpu_seconds)).sum()
    }
}

/// Runs these jobs and returns what was told.
pub(super) fn run(executor: &mut dyn Executor, jobs: Vec<Job>) -> Told {
    let mut told = Told::default();
    let n_jobs = jobs.len();
    jobs.into_iter().for_each(|job| executor.submit(job));
    told.wait(executor, n_jobs).unwrap();
    told
}

/// Why a trial failed.
#[track_caller]
pub(super) fn failure(completion: &Completion) -> (&TrialFailure, &str) {
    match &completion.ended {
        Ended::Failed { failure, message } => (failure, message),
        Ended::Finished(_) => panic!("it finished: {completion:?}"),
    }
}

#[track_caller]
pub(super) fn assert_finished(completion: &Completion) {
    assert!(matches!(completion.ended, Ended::Finished(_)), "{completion:?}");
}

/// Whether a process still does anything; one that only waits to be reaped does not.
pub(super) fn is_alive(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(')')?.1.trim_start().chars().next()? != 'Z'))
        .unwrap_or(false)
}

/// The living children of a process.
pub(super) fn children(parent: i32) -> Vec<i32> {
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    let processes = std::fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_child)
        .filter(|&pid| is_alive(pid))
        .collect()
}
