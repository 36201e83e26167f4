//! Whole networks: against tch by hand, determinism, counting, and errors that name a node.

use nas_plugin_api::graph::{Conv2d, GraphBuilder, Layer, Linear};
use nas_torch::network::{Network, NetworkError, Options};
use tch::{Device, Kind, Tensor, nn};

use crate::{nb201, nb201_by_hand};

#[test]
fn nb201_agrees_with_tch_by_hand_in_value_and_gradient() {
    let options = Options { kind: Kind::Double, ..Options::on(Device::Cpu) };
    let network = Network::build(&nb201::graph([3, 32, 32]), 5, options).unwrap();
    let mut variables = nn::VarStore::new(Device::Cpu);
    variables.double();
    let by_hand = nb201_by_hand::ByHand::new(&variables.root(), 3);
    variables.double();
    // Both make their parameters in the same order, but for tch's linear layer: bias first.
    let mut theirs = variables.trainable_variables();
    let n_parameters = theirs.len();
    theirs.swap(n_parameters - 2, n_parameters - 1);
    let ours = network.parameters().learnt();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        tch::no_grad(|| theirs.shallow_clone().copy_(&ours.tensor));
    }
    let images = Tensor::randn([4, 3, 32, 32], (Kind::Double, Device::Cpu));
    let images = network.lay_out(&images).unwrap();
    let logits = network.forward_training(&images).unwrap().remove(0);
    let expected = by_hand.forward(&images, true);
    let difference = (&logits - &expected).abs().max().double_value(&[]);
    assert!(difference < 1e-11, "logits differ by {difference}");
    logits.square().sum(None::<Kind>).backward();
    expected.square().sum(None::<Kind>).backward();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let scale = theirs.grad().abs().max().double_value(&[]);
        let difference = (ours.tensor.grad() - theirs.grad()).abs().max().double_value(&[]);
        assert!(difference <= 1e-10 * (1.0 + scale), "{} differs by {difference}", ours.name);
    }
    let evaluated = network.forward(&images).unwrap();
    let difference = (evaluated - by_hand.forward(&images, false)).abs().max().double_value(&[]);
    assert!(difference < 1e-11, "evaluation differs by {difference}");
}

#[test]
fn gradients_lie_in_the_flat_buffer() {
    let network = Network::build(&nb201::graph([3, 8, 8]), 0, Options::on(Device::Cpu)).unwrap();
    let images = Tensor::randn([2, 3, 8, 8], (Kind::Float, Device::Cpu));
    let logits = network.forward_training(&network.lay_out(&images).unwrap()).unwrap().remove(0);
    logits.square().sum(None::<Kind>).backward();
    let squares = |tensor: &Tensor| tensor.square().sum(Kind::Double).double_value(&[]);
    let one_by_one: f64 =
        network.parameters().learnt().iter().map(|learnt| squares(&learnt.tensor.grad())).sum();
    assert!(one_by_one > 0.0);
    let flat = squares(network.parameters().gradients());
    assert!((flat - one_by_one).abs() < 1e-4 * one_by_one, "{flat} against {one_by_one}");
}

#[test]
fn one_seed_gives_one_network() {
    let build =
        |seed| Network::build(&nb201::graph([3, 8, 8]), seed, Options::on(Device::Cpu)).unwrap();
    assert_eq!(build(3).parameters().values(), build(3).parameters().values());
    assert_ne!(build(3).parameters().values(), build(4).parameters().values());
}

#[test]
fn initial_weights_follow_pytorchs_bound() {
    let mut g = GraphBuilder::new();
    let x = g.input([16, 8, 8]);
    let x = g.layer(Conv2d::new(64, 3).bias(true), x);
    let graph = g.finish(x).unwrap();
    let network = Network::build(&graph, 0, Options::on(Device::Cpu)).unwrap();
    let bound = 1.0 / (16.0_f64 * 9.0).sqrt();
    for learnt in network.parameters().learnt() {
        let largest = learnt.tensor.abs().max().double_value(&[]);
        assert!(largest <= bound && largest > 0.9 * bound, "{}: {largest}", learnt.name);
    }
}

#[test]
fn counts_are_those_of_the_built_network() {
    let network = Network::build(&nb201::graph([3, 32, 32]), 0, Options::on(Device::Cpu)).unwrap();
    // Stem; per stage three 3×3 and one 1×1 convolution; two residual blocks; last norm; linear.
    let conv = |from: u64, to: u64, kernel: u64| from * to * kernel * kernel;
    let cell = |c: u64| 3 * (conv(c, c, 3) + 2 * c) + conv(c, c, 1) + 2 * c;
    let residual = |c: u64| conv(c / 2, c, 3) + conv(c, c, 3) + 4 * c + conv(c / 2, c, 1);
    let parameters = conv(3, 16, 3)
        + 32
        + cell(16)
        + residual(32)
        + cell(32)
        + residual(64)
        + cell(64)
        + 128
        + 64 * 10
        + 10;
    assert_eq!(network.count_parameters(), parameters);
    let cell = |c: u64, side: u64| side * side * (3 * conv(c, c, 3) + conv(c, c, 1));
    let residual =
        |c: u64, side: u64| side * side * (conv(c / 2, c, 3) + conv(c, c, 3) + conv(c / 2, c, 1));
    let multiply_adds = 32 * 32 * conv(3, 16, 3)
        + cell(16, 32)
        + residual(32, 16)
        + cell(32, 16)
        + residual(64, 8)
        + cell(64, 8)
        + 640;
    assert_eq!(network.count_multiply_adds().unwrap(), multiply_adds);
}

#[test]
fn an_error_names_the_node() {
    let mut g = GraphBuilder::new();
    let x = g.input([1 << 14]);
    // 2^44 weights: more than any address space here holds.
    let huge = g.named("stem/huge", Linear::new(1 << 30).into(), &[x]);
    let graph = g.finish(huge).unwrap();
    let error = Network::build(&graph, 0, Options::on(Device::Cpu)).unwrap_err();
    assert!(matches!(error, NetworkError::Parameters { .. }), "{error}");
    let mut g = GraphBuilder::new();
    let x = g.input([3, 8, 8]);
    let x = g.named("stem/conv", Conv2d::new(4, 3).into(), &[x]);
    let graph = g.finish(x).unwrap();
    let network = Network::build(&graph, 0, Options::on(Device::Cpu)).unwrap();
    let wrong = Tensor::zeros([1, 5, 8, 8], (Kind::Float, Device::Cpu));
    let message = network.forward(&wrong).unwrap_err().to_string();
    assert!(message.starts_with("node `stem/conv`: "), "{message}");
    assert!(!message.contains("frame #"), "{message}");
}

#[test]
fn auxiliary_heads_are_computed_in_training_only() {
    let mut g = GraphBuilder::new();
    let x = g.input([4]);
    let logits = g.linear(3, x);
    let head = g.linear(3, x);
    let graph = g.finish_with(vec![logits, head]).unwrap();
    let network = Network::build(&graph, 0, Options::on(Device::Cpu)).unwrap();
    let images = Tensor::zeros([2, 4], (Kind::Float, Device::Cpu));
    assert_eq!(network.forward_training(&images).unwrap().len(), 2);
    assert_eq!(network.forward(&images).unwrap().size(), [2, 3]);
    // As the graph counts: of both.
    assert_eq!(network.count_multiply_adds().unwrap(), 24);
}

#[test]
fn two_inputs_are_refused() {
    let mut g = GraphBuilder::new();
    let (a, b) = (g.input([4]), g.input([4]));
    let sum = g.node(Layer::Add, &[a, b]);
    let graph = g.finish(sum).unwrap();
    let error = Network::build(&graph, 0, Options::on(Device::Cpu)).unwrap_err();
    assert!(matches!(error, NetworkError::Inputs { n_inputs: 2 }), "{error}");
}
