//! Training through operations that a shared library declares against the same network written by
//! hand with tch.
//!
//! Operations and space are loaded from `libops_nb201.so` and `libspace_nb201.so` of the same build
//! (`make build`), as a search does it. Both train in channels-last layout on one thread with SGD; pairs of runs are interleaved, and
//! the median of their ratios is what counts. `cargo bench -p nas-torch --bench training_step`

#[path = "../tests/it/nb201.rs"]
mod nb201;
#[path = "../tests/it/nb201_by_hand.rs"]
mod nb201_by_hand;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_core::plugin::{Places, Registry, check_config};
use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::graph::{Graph, Shape};
use nas_plugin_api::template::{Role, Scale};
use nas_torch::limits::Watch;
use nas_torch::network::{Network, Options};
use nas_torch::optimizer;
use nas_torch::pixels::Pixels;
use nas_torch::random::Random;
use nas_torch::train::{Training, train};
use serde_json::Map;
use tch::nn::OptimizerConfig;
use tch::{Device, Reduction, Tensor, nn};

const PAIRS: usize = 15;
const BATCHES: usize = 4;

fn main() {
    let threads = std::env::var("NAS_BENCH_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    tch::set_num_threads(threads);
    nas_torch::allocator::keep_freed_memory();
    let recipe = recipe();
    let pixels = random_pixels(BATCHES * recipe.batch_size);
    let graph = from_libraries(pixels.shape);
    let mut network = Network::build(&graph, 0, Options::on(Device::Cpu)).expect("a sound graph");
    // An identity is one layer more in one of them, and no work.
    let work = |graph: &Graph| {
        let cost = graph_cost(graph).expect("a sound graph");
        (cost.parameters, cost.multiply_adds, cost.depth)
    };
    let by_hand = work(&nb201::graph(pixels.shape));
    assert_eq!(work(&graph), by_hand, "the libraries' network is the one written by hand");
    let training = Training::whole(&recipe, 1, 0);
    let mut through_graph = || {
        let mut watch = Watch::unlimited();
        let started = Instant::now();
        let optimizer = optimizer::create(&recipe, network.parameters());
        let mut optimizer = optimizer.expect("memory for it");
        let optimizer = optimizer.as_mut();
        train(&mut network, &pixels, training, optimizer, &mut watch, &mut |_, _, _| Ok(()))
            .expect("training works");
        started.elapsed().as_secs_f64()
    };
    let variables = nn::VarStore::new(Device::Cpu);
    let by_hand = nb201_by_hand::ByHand::new(&variables.root(), 3);
    for (_, mut variable) in variables.variables() {
        if variable.dim() == 4 {
            let channels_last = variable.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
            tch::no_grad(|| variable.set_data(&channels_last));
        }
    }
    let sgd = nn::Sgd { momentum: 0.9, dampening: 0.0, wd: 5e-4, nesterov: true };
    let mut optimizer = sgd.build(&variables, recipe.learning_rate).expect("parameters exist");
    let images = normalized(&pixels);
    let labels = Tensor::from_slice(&pixels.labels);
    let mut by_hand = || {
        let started = Instant::now();
        let size = recipe.batch_size as i64;
        let mut total = 0.0;
        for batch in 0..BATCHES as i64 {
            let x = images.narrow(0, batch * size, size);
            let y = labels.narrow(0, batch * size, size);
            let logits = by_hand.forward(&x, true);
            let loss = logits.cross_entropy_loss::<Tensor>(&y, None, Reduction::Mean, -100, 0.0);
            optimizer.backward_step(&loss);
            total += loss.double_value(&[]);
        }
        assert!(total.is_finite());
        started.elapsed().as_secs_f64()
    };
    through_graph();
    by_hand();
    let (mut ratios, mut graph_ms, mut hand_ms) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Each goes first in half of the pairs.
        let (graph, hand) = match pair % 2 {
            0 => (through_graph(), by_hand()),
            _ => {
                let hand = by_hand();
                (through_graph(), hand)
            }
        };
        ratios.push(graph / hand);
        graph_ms.push(graph * 1e3 / BATCHES as f64);
        hand_ms.push(hand * 1e3 / BATCHES as f64);
    }
    for values in [&mut ratios, &mut graph_ms, &mut hand_ms] {
        values.sort_by(f64::total_cmp);
    }
    // Ranks 4 and 12 of 15 enclose the median with 96 % probability (sign test).
    let mut out = std::io::stdout();
    writeln!(
        out,
        "step of 64 images, {threads} threads: graph {:.2} ms, by hand {:.2} ms, ratio {:.3} ({:.3} to {:.3})",
        graph_ms[PAIRS / 2],
        hand_ms[PAIRS / 2],
        ratios[PAIRS / 2],
        ratios[3],
        ratios[11],
    )
    .expect("standard output is open");
}

/// The network, its operations declared by the built libraries.
fn from_libraries(shape: [usize; 3]) -> Graph {
    let bench = std::env::current_exe().expect("this program has a path");
    let programs = bench.parent().and_then(Path::parent).expect("cargo's folder `deps`");
    let registry = Registry::scan(Places {
        search: vec![programs.to_owned()],
        cache: programs.join("bench-cache"),
        hosts: vec![programs.join("nas-plugin-host")],
        pins: vec![programs.join("trusted-plugins.sha256")],
    })
    .expect("the build's folder can be written");
    let config = |kind| {
        let found = registry.find(kind, "nb201").expect("run `make build` first");
        check_config(&found.info, &Map::new()).expect("defaults are valid")
    };
    let operations = registry.operations("nb201", &config(ComponentKind::Operations));
    let space = registry.space("nb201", &config(ComponentKind::Space));
    let scale = Scale {
        input: Shape(shape.to_vec()),
        classes: 10,
        channels: Some(nb201::CHANNELS),
        cells: Some(1),
        auxiliary_head: false,
        role: Role::Final,
    };
    let operations = OperationGraphs::new(operations.expect("run `make build` first"));
    let space = space.expect("run `make build` first");
    let networks = NetworkSpace::new(space.as_ref(), operations, &scale, Role::Final)
        .expect("the built-in space is sound");
    let genotype = networks.space().parse(CELL).expect("a genotype of the space");
    networks.network(&genotype).expect("a network")
}

/// `nb201::CELL` as a genotype.
const CELL: &str = "edge_0_1=nor_conv_3x3,edge_0_2=skip_connect,edge_1_2=nor_conv_3x3,\
    edge_0_3=nor_conv_1x1,edge_1_3=avg_pool_3x3,edge_2_3=nor_conv_3x3";

/// What the published table's networks were trained with, without augmentation.
fn recipe() -> Recipe {
    Recipe {
        learning_rate: 0.1,
        nesterov: true,
        weight_decay: 5e-4,
        gradient_clip: 0.0,
        ..Recipe::default()
    }
}

fn random_pixels(n_images: usize) -> Pixels {
    let mut random = Random::new(0, 0);
    let bytes = (0..n_images * 3 * 32 * 32).map(|_| random.below(256) as u8).collect();
    let labels = (0..n_images).map(|_| random.below(10) as i64).collect();
    Pixels { bytes, labels, shape: [3, 32, 32], mean: vec![0.5; 3], std: vec![0.25; 3] }
}

fn normalized(pixels: &Pixels) -> Tensor {
    let n_images = pixels.labels.len() as i64;
    let bytes = Tensor::from_slice(&pixels.bytes).view([n_images, 32, 32, 3]);
    ((bytes.to_kind(tch::Kind::Float) / 255.0 - 0.5) / 0.25).permute([0, 3, 1, 2])
}
