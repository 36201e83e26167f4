//! Trials a minute: two workers of one thread against eager PyTorch, one process of two threads.
//!
//! A trial trains one NAS-Bench-201 network (16 channels, one cell a stage) for an epoch of 1,024
//! images of 32×32 in batches of 64. Ours also builds it from its graph and evaluates 64 images.
//! Rounds are interleaved. PyTorch takes part where a Python that has it is named:
//! `NAS_BENCH_PYTHON=python3 cargo bench -p nas-torch --bench trial_throughput`

#[path = "../tests/it/nb201.rs"]
mod nb201;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use nas_core::protocol::recipe::Recipe;
use nas_core::protocol::{Event, Request, Setup, TrialJob, frame};
use nas_torch::random::Random;
use tch::Tensor;

const ROUNDS: usize = 9;
const WORKERS: usize = 2;
/// Trials per worker and round.
const TRIALS: usize = 3;

fn main() {
    let folder = std::env::temp_dir().join(format!("nas-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let mut workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::start(&folder)).collect();
    let mut peer = std::env::var_os("NAS_BENCH_PYTHON").map(|python| Peer::start(&python));
    run_round(&mut workers);
    let (mut ours, mut seconds) = (Vec::new(), Vec::new());
    let (mut theirs, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let [rate, cpu_seconds] = run_round(&mut workers);
        ours.push(rate);
        seconds.push(cpu_seconds);
        if let Some(peer) = &mut peer {
            let peer_rate = peer.trials_per_minute();
            theirs.push(peer_rate);
            ratios.push(rate / peer_rate);
        }
    }
    for values in [&mut ours, &mut seconds, &mut theirs, &mut ratios] {
        values.sort_by(f64::total_cmp);
    }
    let mut out = std::io::stdout();
    let mut line = |text: String| writeln!(out, "{text}").expect("standard output is open");
    line(format!(
        "{WORKERS} workers: {:.1} trials a minute, {:.3} processor seconds each",
        ours[ROUNDS / 2],
        seconds[ROUNDS / 2],
    ));
    if peer.is_some() {
        // Ranks 2 and 8 of 9 enclose the median with 96 % probability (sign test).
        line(format!(
            "eager PyTorch: {:.1} trials a minute; ratio {:.2} ({:.2} to {:.2})",
            theirs[ROUNDS / 2],
            ratios[ROUNDS / 2],
            ratios[1],
            ratios[ROUNDS - 2],
        ));
    }
    std::fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
}

/// Trials a minute, and the mean processor seconds of one.
fn run_round(workers: &mut [Worker]) -> [f64; 2] {
    let started = Instant::now();
    for worker in workers.iter_mut() {
        for _ in 0..TRIALS {
            frame::write(&mut worker.requests, &worker.job).expect("the worker listens");
        }
    }
    let mut cpu_seconds = 0.0;
    for worker in workers.iter_mut() {
        for _ in 0..TRIALS {
            cpu_seconds += worker.finish();
        }
    }
    let trials = (workers.len() * TRIALS) as f64;
    [trials * 60.0 / started.elapsed().as_secs_f64(), cpu_seconds / trials]
}

struct Worker {
    process: Child,
    requests: ChildStdin,
    events: ChildStdout,
    job: Request,
}

impl Worker {
    fn start(folder: &Path) -> Self {
        let (train, evaluation) = (folder.join("train"), folder.join("validation"));
        write_split(&train, 1024);
        write_split(&evaluation, 64);
        let mut process = Command::new(env!("CARGO_BIN_EXE_nas-worker"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let mut requests = process.stdin.take().expect("a pipe was asked for");
        let events = process.stdout.take().expect("a pipe was asked for");
        let setup = Setup { train: Some(train), evaluation, device: "cpu".into(), threads: 1 };
        frame::write(&mut requests, &Request::Setup(setup)).expect("the worker listens");
        let job = Request::Evaluate(Box::new(job(folder)));
        let mut worker = Self { process, requests, events, job };
        assert!(matches!(worker.event(), Event::Ready { .. }));
        worker
    }

    fn event(&mut self) -> Event {
        frame::read(&mut self.events).expect("the worker answers").expect("the worker lives")
    }

    /// Waits for the end of a trial, and gives its processor seconds.
    fn finish(&mut self) -> f64 {
        loop {
            match self.event() {
                Event::Epoch { .. } => {}
                Event::Finished { usage, .. } => return usage.cpu_seconds,
                other => panic!("{other:?}"),
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn job(folder: &Path) -> TrialJob {
    TrialJob {
        trial: 0,
        attempt: 0,
        graph: nb201::graph([3, 32, 32]),
        recipe: Recipe {
            learning_rate: 0.1,
            nesterov: true,
            weight_decay: 5e-4,
            gradient_clip: 0.0,
            ..Recipe::default()
        },
        epochs: 1,
        data_fraction: 1.0,
        seed: 0,
        needs: Vec::new(),
        cpu_seconds: 1e9,
        memory_bytes: u64::MAX,
        keep_weights: None,
        start_from: None,
        log: folder.join("log"),
    }
}

fn write_split(path: &Path, n_images: usize) {
    let mut random = Random::new(0, 0);
    let bytes: Vec<u8> = (0..n_images * 3 * 32 * 32).map(|_| random.below(256) as u8).collect();
    let labels: Vec<i64> = (0..n_images).map(|_| random.below(10) as i64).collect();
    let images = Tensor::from_slice(&bytes).view([n_images as i64, 3, 32, 32]);
    let tensors = [
        ("images", images),
        ("labels", Tensor::from_slice(&labels)),
        ("mean", Tensor::from_slice(&[0.5_f32; 3])),
        ("std", Tensor::from_slice(&[0.25_f32; 3])),
    ];
    Tensor::write_safetensors(&tensors, path).expect("the split can be written");
}

/// A Python process that trains the same network.
struct Peer {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &std::ffi::OsStr) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/eager_pytorch.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg("2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let asks = process.stdin.take().expect("a pipe was asked for");
        let answers = BufReader::new(process.stdout.take().expect("a pipe was asked for"));
        let mut peer = Self { process, asks, answers };
        assert_eq!(peer.answer(), "ready");
        peer
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Python answers");
        line.trim().to_owned()
    }

    fn trials_per_minute(&mut self) -> f64 {
        let seconds: f64 = (0..TRIALS)
            .map(|_| {
                self.asks.write_all(b"\n").expect("Python listens");
                self.answer().parse::<f64>().expect("a number of seconds")
            })
            .sum();
        TRIALS as f64 * 60.0 / seconds
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
