//! Zero-cost proxies against numbers that PyTorch computed: `tests/reference/make_proxies_reference.py`
//! says how. They agree to 1e-9 of their size in 64-bit floats.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_plugin_api::component::{Component, OperationSet, SearchSpace};
use nas_plugin_api::graph::{Graph, GraphBuilder, Layer, Linear};
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::template::Scale;
use nas_torch::batches::Batch;
use nas_torch::limits::Watch;
use nas_torch::network::Options;
use nas_torch::{proxies, trial};
use ops_darts::DartsOperations;
use ops_nb201::Nb201Operations;
use space_darts::{DartsConfig, DartsSpace};
use space_nb201::{Nb201Config, Nb201Space};
use tch::{Device, Kind, Tensor};

use crate::fixtures::{job, small_net, two_sides};
use crate::reference::{DARTS, INPUT, NB201, scale};
use crate::splitmix::{numbers, set_parameters};

/// As in the script.
const BATCH: i64 = 8;
const CLASSES: i64 = 10;

#[test]
fn proxies_of_nb201_are_those_of_pytorch() {
    let space = Nb201Space::create(Nb201Config::default(), ()).unwrap();
    let scale = Scale { channels: Some(16), cells: Some(1), ..scale(16) };
    check("nb201", &space, Box::new(Nb201Operations), &scale, NB201);
}

#[test]
fn proxies_of_darts_are_those_of_pytorch() {
    let space = DartsSpace::create(DartsConfig::default(), ()).unwrap();
    let scale = Scale { channels: Some(8), cells: Some(4), ..scale(32) };
    check("darts", &space, Box::new(DartsOperations), &scale, DARTS);
}

#[track_caller]
fn check(
    case: &str,
    space: &dyn SearchSpace,
    operations: Box<dyn OperationSet>,
    scale: &Scale,
    genotype: &str,
) {
    let operations = OperationGraphs::new(operations);
    let networks = NetworkSpace::new(space, operations, scale, scale.role).unwrap();
    let graph = networks.network(&networks.space().parse(genotype).unwrap()).unwrap();
    let stored = stored();
    for channels_last in [false, true] {
        let options = Options { device: Device::Cpu, kind: Kind::Double, channels_last };
        let measured = measure(&graph, options, &scale.input.0);
        assert_eq!(measured.0.len(), names::PROXIES.len(), "{case}");
        for (name, value) in &measured.0 {
            let expected = stored[&format!("{case}/{name}")].double_value(&[]);
            let distance = (value - expected).abs();
            assert!(distance < 1e-9 * expected.abs(), "{case}/{name}: {value}, not {expected}");
        }
    }
}

fn measure(graph: &Graph, options: Options, shape: &[usize]) -> Measurements {
    let mut network = proxies::build(graph, 0, options).unwrap();
    set_parameters(network.parameters());
    let size: Vec<i64> = [BATCH].into_iter().chain(shape.iter().map(|&it| it as i64)).collect();
    let images = network.lay_out(&numbers(INPUT, &size)).unwrap();
    let labels = Tensor::arange(BATCH, (Kind::Int64, Device::Cpu)).remainder(CLASSES);
    let batch = Batch { images, labels };
    proxies::measure(graph, &mut network, &batch, &mut Watch::unlimited()).unwrap()
}

fn stored() -> HashMap<String, Tensor> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/proxies.safetensors");
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

#[test]
fn a_trial_without_epochs_measures_proxies_and_trains_nothing() {
    let (pixels, graph) = (two_sides(100), small_net([1, 8, 8], 2));
    let run = || {
        let job = job(graph.clone(), 0, PathBuf::new());
        let mut tell = |_| panic!("no epoch is told");
        let watch = &mut Watch::unlimited();
        trial::run(&job, &pixels, &pixels, Device::Cpu, watch, &mut tell).unwrap()
    };
    let measured = run();
    assert_eq!(measured, run());
    let found: Vec<&str> = measured.0.keys().map(String::as_str).collect();
    assert_eq!(found, ["grad_norm", "jacov", "naswot", "snip", "synflow"]);
}

#[test]
fn what_is_not_finite_is_left_out() {
    let mut g = GraphBuilder::new();
    let image = g.input([1, 8, 8]);
    // Nothing of the image reaches the logits, and there is no rectifier.
    let x = g.layer(Layer::Zero { shape: [1, 8, 8].into() }, image);
    let x = g.layer(Layer::Flatten, x);
    let x = g.layer(Linear::new(2), x);
    let job = job(g.finish(x).unwrap(), 0, PathBuf::new());
    let pixels = two_sides(100);
    let watch = &mut Watch::unlimited();
    let measured = trial::run(&job, &pixels, &pixels, Device::Cpu, watch, &mut |_| Ok(()));
    let measured = measured.unwrap();
    assert!(measured.0.values().all(|value| value.is_finite()), "{measured:?}");
    assert_eq!((measured.get("naswot"), measured.get("jacov")), (None, None));
}
