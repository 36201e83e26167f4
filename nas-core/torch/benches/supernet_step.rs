//! One search step of a supernet against plain PyTorch, in turn on one machine.
//!
//! `eager_darts.py` beside this file is the published structure in PyTorch, run with the Python of
//! `NAS_BENCH_PYTHON`; both use the same libtorch and threads (2, or
//! `NAS_BENCH_THREADS`). A step is one look at the mixture's
//! gradient and one step of the weights. Printed are medians of interleaved rounds, and of the ratios
//! median, least and greatest. `cargo bench -p nas-torch --bench supernet_step [darts|unrolled|chain|crossing|rules]`

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_core::plugin::{Places, Registry, check_config};
use nas_plugin_api::component::{
    Command as StrategyCommand, Component, ComponentKind, Mixture, Need, OneShotStrategy,
    OperationSet, Report, SearchSpace, StrategyContext,
};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Options as Choices, Role, Scale};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::trial::Fidelity;
use nas_torch::batches::Batch;
use nas_torch::kernels;
use nas_torch::network::{Network, Options};
use nas_torch::program::Program;
use nas_torch::rewrite::{RULES, Rule};
use nas_torch::supernet::{Settings, Supernet};
use ops_basic::BasicOperations;

use ops_darts::DartsOperations;
use serde_json::Map;
use space_chain::{ChainConfig, ChainSpace};
use space_darts::{DartsConfig, DartsSpace};
use tch::{Device, Kind, Tensor};

const BATCH: i64 = 64;

fn main() {
    tch::set_num_threads(threads());
    nas_torch::allocator::keep_freed_memory();
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    say(&format!("kernels: {}; {} threads; batch {BATCH}", kernels::in_use(), threads()));
    if is_wanted("darts") {
        compare("darts", "step", &darts());
    }
    if is_wanted("unrolled") {
        compare("darts", "unrolled", &darts());
    }
    if is_wanted("chain") {
        compare("chain", "step", &chain());
    }
    if is_wanted("crossing") {
        crossing();
    }
    if is_wanted("rules") {
        leave_rules_out(&darts());
    }
}

/// Rounds that count, after one to warm up.
fn rounds() -> usize {
    std::env::var("NAS_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(7)
}

fn threads() -> i32 {
    std::env::var("NAS_BENCH_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A network and the mixture of a search at its start.
struct Case {
    supernet: nas_core::network::Supernet,
    mixture: Mixture,
}

fn darts() -> Case {
    let space = DartsSpace::create(DartsConfig::default(), ()).expect("a space");
    case(&space, Box::new(DartsOperations), Some(8))
}

fn chain() -> Case {
    let space = ChainSpace::create(ChainConfig::default(), ()).expect("a space");
    case(&space, Box::new(BasicOperations), None)
}

fn networks(
    space: &dyn SearchSpace,
    operations: Box<dyn OperationSet>,
    cells: Option<usize>,
) -> NetworkSpace {
    let scale = Scale {
        input: Shape::from([3, 32, 32]),
        classes: 10,
        channels: Some(16),
        cells,
        auxiliary_head: false,
        role: Role::Search,
    };
    let operations = OperationGraphs::new(operations);
    NetworkSpace::new(space, operations, &scale, Role::Search).expect("networks")
}

fn case(space: &dyn SearchSpace, operations: Box<dyn OperationSet>, cells: Option<usize>) -> Case {
    let networks = networks(space, operations, cells);
    let layout = MixtureLayout::new(networks.space());
    let mut mixture = layout.plain();
    for (choice, options) in networks.space().template().choices.iter().enumerate() {
        if let Choices::Operation { candidates, .. } = &options.options {
            for path in layout.paths(choice) {
                mixture.weights[path] = 1.0 / candidates.len() as f64;
                mixture.needs[path] = Need::ForwardGrad;
            }
        }
    }
    Case { supernet: networks.supernet(1).expect("a supernet"), mixture }
}

/// Our side: the same two batches again and again.
struct Ours {
    supernet: Supernet,
    batches: [Batch; 2],
    mixture: Mixture,
}

impl Ours {
    fn new(case: &Case, rules: &[Rule]) -> Self {
        let program = Program::from_supernet(&case.supernet).expect("a program");
        let options = Options::on(Device::Cpu);
        let network = Network::assemble(program, rules, 0, options).expect("a network");
        let batch = |shift: i64| {
            let images = Tensor::randn([BATCH, 3, 32, 32], (Kind::Float, Device::Cpu));
            let labels: Vec<i64> = (0..BATCH).map(|at| (at * shift) % 10).collect();
            let images = network.lay_out(&images).expect("images");
            Batch { images, labels: Tensor::from_slice(&labels) }
        };
        let batches = [batch(3), batch(7)];
        let settings = Settings {
            learning_rate: 0.025,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 3e-4,
            gradient_clip: 5.0,
            label_smoothing: 0.0,
            auxiliary_weight: 0.0,
            skip_dropout: 0.0,
            drop_path: 0.0,
        };
        let supernet = Supernet::of(network, settings).expect("a supernet");
        Self { supernet, batches, mixture: case.mixture.clone() }
    }

    /// The same with these kernels.
    fn step_with(&mut self, kernels: &str, kind: &str) -> (f64, f64) {
        assert!(kernels::use_only(kernels), "kernels of this processor");
        let seconds = self.step(kind);
        kernels::use_only("best");
        seconds
    }

    /// Seconds of the architecture's part and of the weights'.
    fn step(&mut self, kind: &str) -> (f64, f64) {
        let [train, validation] = &self.batches;
        let started = Instant::now();
        let look = match kind {
            "unrolled" => self.supernet.look_ahead(train, validation, &self.mixture),
            _ => self.supernet.look(validation, &self.mixture),
        };
        look.expect("a step");
        let looked = started.elapsed().as_secs_f64();
        self.supernet.train_weights(train, &self.mixture).expect("a step");
        (looked, started.elapsed().as_secs_f64() - looked)
    }
}

/// PyTorch's side, in a process of its own.
struct Eager {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Eager {
    fn start(layout: &str, network: &str) -> Option<Self> {
        let python = std::env::var_os("NAS_BENCH_PYTHON")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/eager_darts.py");
        let mut child = Command::new(python)
            .arg(script)
            .args([layout, &threads().to_string(), network])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (stdin, stdout) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let mut eager = Self { child, stdin, stdout };
        (eager.line()? == "ready").then_some(eager)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).ok()?;
        Some(line.trim().to_owned())
    }

    /// Seconds of a step, and the process's peak memory in GiB.
    fn step(&mut self, kind: &str) -> (f64, f64) {
        writeln!(self.stdin, "{kind}").expect("the other process listens");
        let line = self.line().expect("the other process answers");
        let mut numbers = line.split(' ').map(|word| word.parse().expect("a number"));
        (numbers.next().unwrap_or(f64::NAN), numbers.next().unwrap_or(f64::NAN))
    }
}

impl Drop for Eager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What steps took, one entry a round.
#[derive(Default)]
struct Seconds {
    steps: Vec<f64>,
    looks: Vec<f64>,
}

impl Seconds {
    fn add(&mut self, (look, train): (f64, f64)) {
        self.steps.push(look + train);
        self.looks.push(look);
    }
}

/// One layout of PyTorch after the other, since two of its processes need more memory than most
/// machines have.
fn compare(network: &str, kind: &str, case: &Case) {
    say(&format!("{network}, {kind}: seconds of a step (medians of {} rounds)", rounds()));
    let mut ours = Ours::new(case, &RULES);
    let best = kernels::in_use();
    let mut compared = false;
    for layout in ["nchw", "channels_last"] {
        let Some(mut eager) = Eager::start(layout, network) else { continue };
        compared = true;
        let (mut theirs, mut peak) = (Vec::new(), f64::NAN);
        let (mut fast, mut portable) = (Seconds::default(), Seconds::default());
        // One round to warm up.
        for round in 0..=rounds() {
            let took;
            (took, peak) = eager.step(kind);
            let [with_best, with_portable] =
                [best, "portable"].map(|name| ours.step_with(name, kind));
            if round > 0 {
                theirs.push(took);
                fast.add(with_best);
                portable.add(with_portable);
            }
        }
        say(&format!("  PyTorch {layout}: {:.3}; its peak memory {peak:.2} GiB", median(&theirs)));
        for (name, ours) in [(best, &fast), ("portable", &portable)] {
            let ratios = theirs.iter().zip(&ours.steps).map(|(theirs, ours)| theirs / ours);
            say(&format!(
                "  ours, {name}: {:.3}, of it the architecture {:.3}; ratio {}",
                median(&ours.steps),
                median(&ours.looks),
                interval(ratios.collect()),
            ));
        }
    }
    if !compared {
        say("  PyTorch: SKIPPED: NAS_BENCH_PYTHON names no Python with torch 2.13");
        let mut seconds = Seconds::default();
        ours.step(kind);
        (0..rounds()).for_each(|_| seconds.add(ours.step(kind)));
        let (step, look) = (median(&seconds.steps), median(&seconds.looks));
        say(&format!("  ours, {best}: {step:.3}, of it the architecture {look:.3}"));
    }
    say(&format!("  peak memory of this process so far: {:.2} GiB", peak_gib()));
}

/// What the calls of a strategy in a shared library cost, beside a step of the published supernet.
fn crossing() {
    const CALLS: usize = 2000;
    let mut strategy = strategy_of_a_library();
    let case = darts();
    let mut report = Report { steps_per_epoch: u32::MAX, ..Report::default() };
    report.path_costs.clone_from(&case.supernet.path_costs);
    strategy.plan().expect("a plan");
    let mut seconds = Vec::with_capacity(CALLS);
    for step in 0..CALLS {
        let started = Instant::now();
        let command = strategy.next(&report).expect("a command");
        seconds.push(started.elapsed().as_secs_f64());
        report.losses = vec![2.3];
        report.accuracies = vec![0.1];
        report.gradient.clear();
        if let StrategyCommand::ArchStep { mixture, .. } = command {
            report.gradient = mixture.weights;
        }
        report.step = (step / 2) as u32;
    }
    let mut ours = Ours::new(&case, &RULES);
    ours.step("step");
    let steps: Vec<f64> = (0..3)
        .map(|_| {
            let (look, train) = ours.step("step");
            look + train
        })
        .collect();
    let call = median(&seconds);
    say(&format!(
        "crossing the ABI: 2 calls a step, {:.1} us each (median of {CALLS}), {:.5} % of a step",
        1e6 * call,
        100.0 * 2.0 * call / median(&steps)
    ));
}

/// DARTS on its own space, from the libraries of the same build (`make build`).
fn strategy_of_a_library() -> Box<dyn OneShotStrategy> {
    let bench = std::env::current_exe().expect("this program has a path");
    let programs = bench.parent().and_then(Path::parent).expect("cargo's folder `deps`");
    let registry = Registry::scan(Places {
        search: vec![programs.to_owned()],
        cache: programs.join("bench-cache"),
        hosts: vec![programs.join("nas-plugin-host")],
        pins: vec![programs.join("trusted-plugins.sha256")],
    })
    .expect("the build's folder can be written");
    let kind = ComponentKind::OneShotStrategy;
    let found = registry.find(kind, "darts").expect("run `make build` first");
    let config = check_config(&found.info, &Map::new()).expect("defaults are valid");
    let space = DartsSpace::create(DartsConfig::default(), ()).expect("a space");
    let context = StrategyContext {
        space: networks(&space, Box::new(DartsOperations), Some(8)).space().clone(),
        seed: 0,
        objectives: Vec::new(),
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    registry.one_shot_strategy("darts", &config, &context).expect("run `make build` first")
}

/// What each rule is worth: the time without it.
fn leave_rules_out(case: &Case) {
    let mut all = Ours::new(case, &RULES);
    all.step("step");
    let mut names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    for left_out in names {
        let rules: Vec<Rule> = RULES.into_iter().filter(|(name, _)| *name != left_out).collect();
        let mut without = Ours::new(case, &rules);
        without.step("step");
        let mut ratios = Vec::new();
        for _ in 0..3 {
            let (look, train) = without.step("step");
            let (full_look, full_train) = all.step("step");
            ratios.push((look + train) / (full_look + full_train));
        }
        say(&format!("  without {left_out:<20} {} times as long", interval(ratios)));
    }
    for (kernels, what) in [("none", "kernels of ours"), ("portable", "wide instructions")] {
        all.step_with(kernels, "step");
        let ratios = (0..3).map(|_| {
            let (look, train) = all.step_with(kernels, "step");
            let (full_look, full_train) = all.step("step");
            (look + train) / (full_look + full_train)
        });
        say(&format!("  without {what:<20} {} times as long", interval(ratios.collect())));
    }
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn interval(numbers: Vec<f64>) -> String {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.2} ({low:.2}-{high:.2})", median(&numbers))
}

fn peak_gib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1048576.0
}
