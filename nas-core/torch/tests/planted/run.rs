//! A whole one-shot search in this process.

use std::io;
use std::time::Duration;

use nas_core::protocol::Event;
use nas_core::protocol::one_shot::{ComponentSource, OneShotEpoch, OneShotJob, Order, SearchFound};
use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::trial::Fidelity;
use nas_torch::limits::Watch;
use nas_torch::one_shot::{Splits, Supervisor, search};
use serde_json::{Value, json};
use tch::Device;

use crate::problem::{N_CLASSES, Problem};
use crate::settings::Case;
use crate::space::operation_at;

/// Images of the training split.
pub(crate) const N_TRAIN: usize = 1024;
/// Images of the validation split.
pub(crate) const N_VALIDATION: usize = 1024;
/// Images of one step.
pub(crate) const BATCH_SIZE: usize = 128;

/// What a search found, and what it took.
pub(crate) struct Run {
    /// The operation of every edge, by its number: the strategy's own answer.
    pub(crate) operations: Vec<usize>,
    /// What each epoch showed.
    pub(crate) epochs: Vec<OneShotEpoch>,
    /// Processor seconds of this thread.
    pub(crate) cpu_seconds: f64,
}

/// Lets the search go on, and remembers.
#[derive(Default)]
struct Observer {
    epochs: Vec<OneShotEpoch>,
}

impl Supervisor for Observer {
    fn tell(&mut self, event: Event) -> io::Result<()> {
        if let Event::EpochEnded(epoch) = event {
            self.epochs.push(*epoch);
        }
        Ok(())
    }

    fn order(&mut self) -> io::Result<Order> {
        Ok(Order::Continue)
    }

    fn log(&mut self, _: &str) {}
}

/// Whose labels a search is shown.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Labels {
    /// The image's.
    Own,
    /// Some other image's.
    OfOthers,
}

/// Searches; `space` is the configuration of the planted space.
pub(crate) fn run(problem: &Problem, space: &Value, case: &Case) -> Run {
    run_with(problem, space, case, &[], Labels::Own)
}

/// The same, and takes these signals each epoch besides the cheap ones.
pub(crate) fn run_with(
    problem: &Problem,
    space: &Value,
    case: &Case,
    signals: &[&str],
    whose: Labels,
) -> Run {
    let Case { strategy, config } = case;
    tch::set_num_threads(1);
    let folder = tempfile::tempdir().unwrap();
    let component = |kind, name: &str, config: &Value| ComponentSource {
        kind,
        name: name.to_owned(),
        library: None,
        config: config.clone(),
    };
    let job = OneShotJob {
        operations: component(ComponentKind::Operations, "planted", &json!({})),
        space: component(ComponentKind::Space, "planted", space),
        strategy: component(ComponentKind::OneShotStrategy, strategy, config),
        plugin_cache: folder.path().to_owned(),
        scale: scale(Role::Search),
        objectives: Vec::new(),
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        recipe: Recipe { batch_size: BATCH_SIZE, ..Recipe::default() },
        data_fraction: 1.0,
        seed: problem.seed,
        signals: signals.iter().map(|&signal| signal.to_owned()).collect(),
        path_cost: nas_core::one_shot::PathCost::default(),
        weight_decay_factor: 1.0,
        checkpoints: folder.path().to_owned(),
        resume_from: None,
        cpu_seconds: f64::INFINITY,
        memory_bytes: u64::MAX,
        log: folder.path().join("log"),
    };
    let [train, validation] = [(0, N_TRAIN), (1, N_VALIDATION)].map(|(split, n_images)| {
        let mut images = problem.images(split, n_images);
        if whose == Labels::OfOthers {
            images.labels.rotate_left(1);
        }
        images
    });
    let splits = Splits { train: &train, validation: &validation };
    let mut observer = Observer::default();
    let before = thread_time();
    let found = search(&job, splits, Device::Cpu, &mut Watch::unlimited(), &mut observer);
    let cpu_seconds = (thread_time() - before).as_secs_f64();
    let SearchFound { genotypes, .. } = found.unwrap_or_else(|error| panic!("{strategy}: {error}"));
    Run { operations: operations_of(&genotypes[0]), epochs: observer.epochs, cpu_seconds }
}

/// The operation of every edge, by its number. Every choice is an edge and picks one operation: its
/// value is the operation's position on that edge.
pub(crate) fn operations_of(genotype: &Genotype) -> Vec<usize> {
    let positions = genotype.0.iter().enumerate();
    positions.map(|(edge, &position)| operation_at(edge, usize::from(position))).collect()
}

/// The scale of everything here.
pub(crate) fn scale(role: Role) -> Scale {
    Scale {
        input: Problem::shape(),
        classes: N_CLASSES,
        channels: None,
        cells: None,
        auxiliary_head: false,
        role,
    }
}

/// Processor time of this thread. With one libtorch thread everything runs in it.
pub(crate) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
