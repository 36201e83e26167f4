//! The real worker binary over its pipes.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nas_core::protocol::data::{DataConfig, DataFormat, DataRequest, DataSummary};
use nas_core::protocol::{AuditJob, Event, Failure, Request, Setup, frame};
use nas_plugin_api::graph::{GraphBuilder, Linear};
use nas_plugin_api::measurement::names;

use crate::fixtures::{digits, job, small_net};

struct Worker {
    process: Child,
    requests: Option<ChildStdin>,
    events: ChildStdout,
}

impl Worker {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nas-worker"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let requests = process.stdin.take();
        let events = process.stdout.take().unwrap();
        Self { process, requests, events }
    }

    fn set_up(summary: &DataSummary) -> Self {
        let mut worker = Self::start();
        let event = worker.ask(&Request::Setup(Setup {
            train: Some(summary.train.path.clone()),
            evaluation: summary.validation.path.clone(),
            device: "cpu".into(),
            threads: 1,
        }));
        assert!(matches!(event, Event::Ready { .. }), "{event:?}");
        worker
    }

    fn send(&mut self, request: &Request) {
        frame::write(self.requests.as_mut().unwrap(), request).unwrap();
    }

    fn event(&mut self) -> Event {
        frame::read(&mut self.events).unwrap().expect("an event")
    }

    fn ask(&mut self, request: &Request) -> Event {
        self.send(request);
        self.event()
    }

    /// Waits for the end, and says how long that took.
    fn end(&mut self) -> Duration {
        let started = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(20), "the worker lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
        started.elapsed()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_worker_prepares_trains_and_audits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let config = DataConfig {
        format: DataFormat::Digits,
        path: None,
        validation_fraction: 0.2,
        holdout_fraction: 0.2,
        limit: None,
        max_duplicates: None,
        split_seed: 0,
    };
    let mut preparer = Worker::start();
    let request = DataRequest { config, output: path("data") };
    std::fs::create_dir_all(path("data")).unwrap();
    let Event::Prepared(summary) = preparer.ask(&Request::Prepare(request)) else {
        panic!("not prepared");
    };
    preparer.end();

    let mut worker = Worker::set_up(&summary);
    let mut job = job(small_net([1, 8, 8], 10), 2, path("trial.log"));
    job.keep_weights = Some(path("weights.safetensors"));
    worker.send(&Request::Evaluate(Box::new(job.clone())));
    let events = [worker.event(), worker.event(), worker.event()];
    let [
        Event::Epoch { .. },
        Event::Epoch { record, .. },
        Event::Finished { measurements, usage, .. },
    ] = &events
    else {
        panic!("{events:?}");
    };
    assert_eq!(measurements.get(names::VALIDATION_ACCURACY), record.validation_accuracy);
    assert!(usage.cpu_seconds > 0.0 && usage.peak_memory_bytes > 0);
    let log = std::fs::read_to_string(path("trial.log")).unwrap();
    assert_eq!(log.lines().count(), 4, "{log}");
    drop(worker);

    let mut auditor = Worker::start();
    let ready = auditor.ask(&Request::Setup(Setup {
        train: None,
        evaluation: summary.holdout.path.clone(),
        device: "cpu".into(),
        threads: 1,
    }));
    assert!(matches!(ready, Event::Ready { .. }));
    let audit = AuditJob {
        trial: 7,
        graph: job.graph.clone(),
        weights: path("weights.safetensors"),
        batch_size: 64,
    };
    let Event::Finished { measurements, .. } = auditor.ask(&Request::Audit(Box::new(audit))) else {
        panic!("not audited");
    };
    assert!(measurements.get(names::HOLDOUT_ACCURACY).unwrap() > 0.6);
}

#[test]
fn a_failed_trial_does_not_end_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::set_up(&digits(folder.path()));
    let mut bad = job(small_net([3, 5, 5], 10), 1, folder.path().join("bad.log"));
    let event = worker.ask(&Request::Evaluate(Box::new(bad.clone())));
    let Event::Failed { failure: Failure::Error, message, .. } = &event else {
        panic!("{event:?}");
    };
    assert!(message.starts_with("node `conv2d_1`"), "{message}");
    let log = std::fs::read_to_string(&bad.log).unwrap();
    assert!(log.contains(message.as_str()), "{log}");
    let mut g = GraphBuilder::new();
    let x = g.input([1, 8, 8]);
    let x = g.layer(nas_plugin_api::graph::Layer::Flatten, x);
    let x = g.layer(Linear::new(1 << 24), x);
    let x = g.layer(Linear::new(1 << 24), x);
    bad.graph = g.finish(x).unwrap();
    let event = worker.ask(&Request::Evaluate(Box::new(bad)));
    assert!(matches!(event, Event::Failed { failure: Failure::OutOfMemory, .. }), "{event:?}");
    let good = job(small_net([1, 8, 8], 10), 1, folder.path().join("good.log"));
    let event = worker.ask(&Request::Evaluate(Box::new(good)));
    assert!(matches!(event, Event::Epoch { .. }), "{event:?}");
    assert!(matches!(worker.event(), Event::Finished { .. }));
}

#[test]
fn a_bad_setup_is_refused_with_a_reason() {
    let mut worker = Worker::start();
    let setup = Setup {
        train: None,
        evaluation: PathBuf::from("/nowhere"),
        device: "tpu".into(),
        threads: 1,
    };
    let event = worker.ask(&Request::Setup(setup));
    let Event::Refused { message } = event else { panic!("{event:?}") };
    assert_eq!(message, "unknown device `tpu` (known: cpu, cuda, cuda:N)");
}

#[test]
fn a_worker_ends_within_two_seconds_of_its_pipe_in_the_middle_of_a_trial() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::set_up(&digits(folder.path()));
    let endless = job(small_net([1, 8, 8], 10), 1_000_000, folder.path().join("log"));
    worker.send(&Request::Evaluate(Box::new(endless)));
    assert!(matches!(worker.event(), Event::Epoch { .. }));
    // The supervisor's end of the pipe closes; its events are still read by nobody.
    worker.requests = None;
    assert!(worker.end() < Duration::from_secs(2));
}

#[test]
fn an_idle_worker_ends_in_peace() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::set_up(&digits(folder.path()));
    worker.requests = None;
    assert!(worker.end() < Duration::from_secs(2));
    assert!(worker.process.wait().unwrap().success());
}
