//! Trials a minute of real training: two workers of one thread against eager PyTorch, one process
//! of two threads.
//!
//! A trial trains one network of NAS-Bench-201 (16 channels, one cell a stage) for an epoch of
//! 1,024 images of 32×32 in batches of 64. Ours goes from a graph through the executor to a worker
//! and back, and evaluates 64 images as well.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use nas_core::budget::Reservation;
use nas_core::executor::{
    Completion, Ended, Executor, Job, LocalExecutor, LocalOptions, Update, WorkerBounds,
};
use nas_core::protocol::recipe::Recipe;
use nas_core::protocol::{Setup, TrialJob};
use nas_plugin_api::graph::Graph;
use safetensors::tensor::{Dtype, TensorView};

use crate::estimate::Estimate;
use crate::machine;
use crate::parts::{folder, programs, registry, space};
use crate::python::Peer;
use crate::table::{Goal, Table};

const ROUNDS: usize = 9;
const WORKERS: usize = 2;
/// Trials in one round of ours; half as many in one of PyTorch.
const TRIALS: u64 = 6;
const IMAGES: usize = 1024;

/// The same as `CELL` in `eager_pytorch.py`.
const CELL: &str = "edge_0_1=nor_conv_3x3,edge_0_2=skip_connect,edge_1_2=nor_conv_3x3,\
    edge_0_3=nor_conv_1x1,edge_1_3=avg_pool_3x3,edge_2_3=nor_conv_3x3";

pub(crate) fn run(table: &mut Table) {
    let folder = folder();
    let mut ours = Workers::start(folder.path());
    let mut peer = Peer::start(WORKERS);
    ours.trials_a_minute();
    let layouts = ["nchw", "channels_last"];
    let mut rates: HashMap<&str, Vec<f64>> = HashMap::new();
    for round in 0..ROUNDS {
        let mut rate = |name: &'static str, rate: f64| rates.entry(name).or_default().push(rate);
        let mut peer_rates = || {
            let Ok(peer) = &mut peer else { return };
            for layout in layouts {
                let seconds: f64 = (0..TRIALS / 2).map(|_| peer.train(layout)).sum();
                rate(layout, (TRIALS / 2) as f64 * 60.0 / seconds);
            }
        };
        // Each goes first in half of the rounds.
        if round % 2 == 0 {
            peer_rates();
            rate("ours", ours.trials_a_minute());
        } else {
            let ours = ours.trials_a_minute();
            peer_rates();
            rate("ours", ours);
        }
    }
    let ours = &rates["ours"];
    table.line("2 workers: trials a minute", Estimate::of(ours.clone()), Goal::None);
    match peer {
        Ok(peer) => {
            let (here, there) = (machine::libtorch(), &peer.version);
            if !there.starts_with(&here) {
                table.note(&format!("  libtorch is {here} and PyTorch {there}: not comparable"));
            }
            for (layout, goal) in layouts.into_iter().zip([Goal::AtLeast(1.7), Goal::None]) {
                let theirs = &rates[layout];
                let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
                let what = format!("eager PyTorch, {layout}: trials a minute");
                table.line(&what, Estimate::of(theirs.clone()), Goal::None);
                table.line("  2 workers against it, ratio", Estimate::of(ratios), goal);
            }
        }
        Err(reason) => table.note(&format!("  PyTorch: SKIPPED, {reason}")),
    }
}

/// Ours: an executor whose workers stay from round to round.
struct Workers {
    executor: LocalExecutor,
    job: TrialJob,
    next: u64,
}

impl Workers {
    fn start(folder: &Path) -> Self {
        let (train, evaluation) = (folder.join("train"), folder.join("validation"));
        write_split(&train, IMAGES);
        write_split(&evaluation, 64);
        let setup = Setup { train: Some(train), evaluation, device: "cpu".to_owned(), threads: 1 };
        let options = LocalOptions {
            program: programs().join("nas-worker"),
            workers: WORKERS,
            bounds: Some(WorkerBounds::of(&setup).writing(folder)),
            setup,
            log: None,
            start_seconds: 120.0,
        };
        let space = space(&registry());
        let genotype = space.space().parse(CELL).expect("a genotype of the space");
        let graph = space.network(&genotype).expect("a sound network");
        let executor = LocalExecutor::new(options).expect("a thread");
        Self { executor, job: job(graph, folder), next: 0 }
    }

    fn trials_a_minute(&mut self) -> f64 {
        let began = Instant::now();
        let reservation = Reservation {
            wall_seconds: 1e6,
            cpu_seconds: 1e6,
            gpu_seconds: 0.0,
            memory_bytes: 8 << 30,
        };
        for _ in 0..TRIALS {
            let job = TrialJob { trial: self.next, ..self.job.clone() };
            self.executor.submit(Job::new(job, reservation));
            self.next += 1;
        }
        let mut finished = 0;
        while finished < TRIALS {
            let updates = self.executor.poll(Duration::from_secs(60)).expect("workers work");
            for update in updates {
                if let Update::Completed(Completion { ended, .. }) = update {
                    assert!(matches!(ended, Ended::Finished(_)), "{ended:?}");
                    finished += 1;
                }
            }
        }
        TRIALS as f64 * 60.0 / began.elapsed().as_secs_f64()
    }
}

/// What the published table's networks were trained with, without augmentation.
fn job(graph: Graph, folder: &Path) -> TrialJob {
    TrialJob {
        trial: 0,
        attempt: 0,
        graph,
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
        shuffles_labels: false,
        needs: Vec::new(),
        cpu_seconds: 1e6,
        memory_bytes: u64::MAX,
        keep_weights: None,
        schedule_epochs: 0,
        keep_checkpoint: None,
        continue_from: None,
        inherited: None,
        log: folder.join("log.txt"),
    }
}

/// Noise in the form of a prepared split: how fast training is does not depend on what it sees.
fn write_split(path: &Path, n_images: usize) {
    let mut state = 0_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 33
    };
    let images: Vec<u8> = (0..n_images * 3 * 32 * 32).map(|_| noise() as u8).collect();
    let labels: Vec<u8> = (0..n_images).flat_map(|_| (noise() % 10).to_le_bytes()).collect();
    let floats = |value: f32| [value; 3].iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>();
    let (mean, std) = (floats(0.5), floats(0.25));
    let tensor = |dtype, shape: &[usize], bytes| {
        TensorView::new(dtype, shape.to_vec(), bytes).expect("as many bytes as the shape says")
    };
    let tensors = [
        ("images", tensor(Dtype::U8, &[n_images, 3, 32, 32], images.as_slice())),
        ("labels", tensor(Dtype::I64, &[n_images], &labels)),
        ("mean", tensor(Dtype::F32, &[3], &mean)),
        ("std", tensor(Dtype::F32, &[3], &std)),
    ];
    safetensors::serialize_to_file(tensors, None, path).expect("a new file can be written");
}
