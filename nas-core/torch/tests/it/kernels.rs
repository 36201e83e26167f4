//! Each hand-written kernel, on every instruction set this processor has, against libtorch in 64
//! bits.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use nas_plugin_api::graph::Graph;
use nas_plugin_api::graph::{
    Activation, BatchNorm, Conv2d, GraphBuilder, Layer, NodeIndex, Pool2d,
};
use nas_torch::kernels;
use nas_torch::network::{Network, Options};
use tch::{Device, Kind, Tensor};

/// The kernels are the process's; tests that choose them take turns.
pub(crate) static CHOICE: Mutex<()> = Mutex::new(());

/// Largest difference relative to the largest number.
fn difference(ours: &Tensor, exact: &Tensor) -> f64 {
    let scale = exact.abs().max().double_value(&[]).max(1e-30);
    (ours.to_kind(Kind::Double) - exact).abs().max().double_value(&[]) / scale
}

/// Numbers without a pattern; libtorch's random numbers are shared by all tests that run.
fn scattered(shape: &[i64], pace: f64) -> Tensor {
    let n_numbers: i64 = shape.iter().product();
    let places = Tensor::arange(n_numbers, (Kind::Double, Device::Cpu));
    ((places.square() * 0.37 + 1.0) * pace).sin().view(shape)
}

/// Result, gradient of the input and of all parameters.
fn pass(graph: &Graph, shape: [i64; 4], kind: Kind) -> Vec<Tensor> {
    let images = scattered(&shape, 0.7);
    let options = Options { kind, ..Options::on(Device::Cpu) };
    let network = Network::build(graph, 3, options).unwrap();
    let images = network.lay_out(&images).unwrap().set_requires_grad(true);
    let result = network.forward_training(&images).unwrap().remove(0);
    // A gradient that differs from place to place.
    let slope = scattered(&result.size(), 1.3).to_kind(kind);
    (&result * slope).sum(None::<Kind>).backward();
    let gradients = network.parameters().learnt().iter().map(|learnt| learnt.tensor.grad());
    [result.detach(), images.grad()].into_iter().chain(gradients).collect()
}

/// Compares every kernel with libtorch in 64 bits, to 1e-5 of the largest number.
#[track_caller]
fn check(shape: [i64; 4], build: impl Fn(&mut GraphBuilder, NodeIndex) -> NodeIndex) {
    let _turn = CHOICE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut g = GraphBuilder::new();
    let x = g.input([shape[1], shape[2], shape[3]].map(|extent| extent as usize));
    let y = build(&mut g, x);
    let graph = g.finish(y).unwrap();
    let layers: Vec<&Layer> = graph.nodes.iter().map(|node| &node.layer).collect();
    assert!(kernels::use_only("none"));
    let exact = pass(&graph, shape, Kind::Double);
    for name in ["none", "portable", "avx2", "avx512"] {
        if !kernels::use_only(name) {
            let _ = writeln!(std::io::stderr(), "skipped: this processor has no {name}");
            continue;
        }
        for (index, (ours, exact)) in
            pass(&graph, shape, Kind::Float).iter().zip(&exact).enumerate()
        {
            let difference = difference(ours, exact);
            assert!(
                difference < 1e-5,
                "{name}: {shape:?} {layers:?}: result {index} differs by {difference:e}"
            );
        }
    }
    assert!(kernels::use_only("best"));
}

/// Channels that fill registers, that leave some over, and fewer than one register.
const SHAPES: [[i64; 4]; 4] = [[5, 16, 9, 7], [2, 36, 8, 8], [3, 5, 6, 6], [1, 64, 4, 4]];

#[test]
fn depthwise_convolutions() {
    for shape in SHAPES {
        for (kernel, dilation) in [(3, 1), (5, 1), (7, 1), (3, 2), (5, 2)] {
            for stride in [1, 2] {
                let padding = dilation * (kernel / 2);
                let layer = Conv2d::depthwise(kernel).dilation(dilation).stride(stride);
                check(shape, |g, x| g.layer(layer.clone().padding(padding), x));
            }
        }
    }
}

/// In Winograd's form where the channels fill registers: whole and cut tiles, one and several blocks
/// of registers on either side, more tiles than are transformed together.
#[test]
fn dense_3x3_convolutions() {
    for shape in [[5, 16, 9, 7], [2, 48, 8, 8], [3, 5, 6, 6], [1, 64, 4, 4], [7, 32, 13, 12]] {
        for out_channels in [8, 16, 36, 112] {
            let layer = Conv2d::new(out_channels, 3).padding(1);
            check(shape, |g, x| g.layer(layer.clone(), x));
        }
    }
}

#[test]
fn pools() {
    for shape in SHAPES {
        for stride in [1, 2] {
            check(shape, |g, x| g.layer(Pool2d::max(3).stride(stride).padding(1), x));
            check(shape, |g, x| g.layer(Pool2d::average(3).stride(stride).padding(1), x));
        }
        check(shape, |g, x| g.layer(Pool2d::average(2).stride(2).padding(0), x));
    }
}

#[test]
fn sums_of_normalised_terms() {
    let plain = BatchNorm { affine: false, ..BatchNorm::default() };
    for shape in SHAPES {
        check(shape, |g, x| g.batch_norm(x));
        check(shape, |g, x| {
            let x = g.layer(plain.clone(), x);
            g.relu(x)
        });
        for n_terms in [1, 2, 3] {
            check(shape, |g, x| {
                let mut terms = vec![x];
                for _ in 0..n_terms {
                    let y = g.layer(Conv2d::new(shape[1] as usize, 1), x);
                    terms.push(g.batch_norm(y));
                }
                let sum = g.add(&terms);
                g.layer(Layer::Activation(Activation::Relu), sum)
            });
        }
    }
}

#[test]
fn nan_is_not_lost() {
    let _turn = CHOICE.lock().unwrap_or_else(PoisonError::into_inner);
    for layer in [Layer::from(Pool2d::max(3).padding(1)), BatchNorm::default().into()] {
        let mut g = GraphBuilder::new();
        let x = g.input([16, 4, 4]);
        let y = g.layer(layer, x);
        let y = g.relu(y);
        let network = Network::build(&g.finish(y).unwrap(), 0, Options::on(Device::Cpu)).unwrap();
        let images = Tensor::ones([2, 16, 4, 4], (Kind::Float, Device::Cpu));
        let _ = images.get(0).get(3).get(1).get(1).fill_(f64::NAN);
        let result = network.forward_training(&network.lay_out(&images).unwrap()).unwrap();
        assert!(bool::try_from(result[0].isnan().any()).unwrap());
    }
}
