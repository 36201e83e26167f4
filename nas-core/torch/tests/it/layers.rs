//! Every layer against libtorch written by hand: results and gradients, in 64-bit floats.

use nas_plugin_api::graph::{
    Activation, Adaptive, BatchNorm, Concat, Conv1d, Conv2d, Embedding, Graph, GraphBuilder,
    GroupNorm, Layer, LayerNorm, Linear, MatMul, NodeIndex, Pool1d, Pool2d, PoolKind, Shape, Slice,
    Statistics,
};
use nas_torch::network::{Network, Options};
use tch::{Device, Kind, Tensor};

const TOLERANCE: f64 = 1e-12;

/// Builds `input → layers`, and compares with `by_hand(input, learnt parameters)`.
#[track_caller]
fn check<const RANK: usize>(
    shape: [usize; RANK],
    build: impl FnOnce(&mut GraphBuilder, NodeIndex) -> NodeIndex,
    by_hand: impl Fn(&Tensor, &[Tensor]) -> Tensor,
) {
    let mut g = GraphBuilder::new();
    let input = g.input(shape);
    let output = build(&mut g, input);
    check_graph(&g.finish(output).unwrap(), &shape, by_hand);
}

#[track_caller]
fn check_graph(graph: &Graph, shape: &[usize], by_hand: impl Fn(&Tensor, &[Tensor]) -> Tensor) {
    for channels_last in [false, true] {
        let options = Options { kind: Kind::Double, channels_last, ..Options::on(Device::Cpu) };
        let network = Network::build(graph, 1, options).unwrap();
        let size: Vec<i64> =
            std::iter::once(3).chain(shape.iter().map(|&extent| extent as i64)).collect();
        let images = network.lay_out(&Tensor::randn(size, (Kind::Double, Device::Cpu))).unwrap();
        let images = images.set_requires_grad(true);
        let learnt: Vec<Tensor> =
            network.parameters().learnt().iter().map(|l| l.tensor.shallow_clone()).collect();
        let ours = network.forward_training(&images).unwrap().remove(0);
        let theirs = by_hand(&images, &learnt);
        assert_close("result", &ours, &theirs);
        let weights = Tensor::randn_like(&theirs);
        let inputs: Vec<&Tensor> = std::iter::once(&images).chain(&learnt).collect();
        let gradients = |result: &Tensor| {
            Tensor::run_backward(&[(result * &weights).sum(None::<Kind>)], &inputs, false, false)
        };
        for (ours, theirs) in gradients(&ours).iter().zip(gradients(&theirs)) {
            assert_close("gradient", ours, &theirs);
        }
    }
}

#[track_caller]
fn assert_close(what: &str, ours: &Tensor, theirs: &Tensor) {
    assert_eq!(ours.size(), theirs.size(), "{what}");
    let difference = (ours - theirs).abs().max().double_value(&[]);
    assert!(difference < TOLERANCE, "{what} differs by {difference}");
}

/// No second tensor, for libtorch's optional arguments.
const NONE: Option<&Tensor> = None;

#[test]
fn convolution_of_images() {
    let conv = Conv2d::new(6, 3).stride(2).padding(1).dilation(2).groups(2).bias(true);
    check(
        [4, 9, 8],
        |g, x| g.layer(conv, x),
        |x, p| x.conv2d(&p[0], Some(&p[1]), [2, 2], [1, 1], [2, 2], 2),
    );
}

#[test]
fn depthwise_convolution_of_images() {
    check(
        [4, 8, 8],
        |g, x| g.layer(Conv2d::depthwise(5).padding(2), x),
        |x, p| x.conv2d(&p[0], NONE, [1, 1], [2, 2], [1, 1], 4),
    );
}

#[test]
fn convolution_with_unequal_sides() {
    let mut conv = Conv2d::new(2, 1);
    (conv.kernel, conv.padding, conv.stride) = ([1, 7], [0, 3], [2, 1]);
    check(
        [3, 6, 9],
        |g, x| g.layer(conv, x),
        |x, p| x.conv2d(&p[0], NONE, [2, 1], [0, 3], [1, 1], 1),
    );
}

#[test]
fn convolution_of_series() {
    let conv = Conv1d::new(4, 3).stride(2).padding(2).dilation(2).bias(true);
    check([2, 11], |g, x| g.layer(conv, x), |x, p| x.conv1d(&p[0], Some(&p[1]), 2, 2, 2, 1));
}

#[test]
fn linear_of_the_last_axis() {
    check([5], |g, x| g.linear(3, x), |x, p| x.linear(&p[0], Some(&p[1])));
    let without_bias = Linear { out_features: 3, bias: false };
    check([4, 5], |g, x| g.layer(without_bias, x), |x, p| x.linear(&p[0], NONE));
}

#[test]
fn batch_norm_in_training() {
    let by_hand = |x: &Tensor, scale: Option<&Tensor>, shift: Option<&Tensor>| {
        x.batch_norm(scale, shift, NONE, NONE, true, 0.1, 1e-3, false)
    };
    let norm = BatchNorm { eps: 1e-3, ..BatchNorm::default() };
    check([4, 5, 6], |g, x| g.layer(norm.clone(), x), |x, p| by_hand(x, Some(&p[0]), Some(&p[1])));
    let plain = BatchNorm { affine: false, statistics: Statistics::Batch, ..norm };
    check([4, 5], |g, x| g.layer(plain, x), |x, _| by_hand(x, None, None));
}

#[test]
fn layer_norm_of_the_last_axis() {
    let norm = LayerNorm { affine: true, eps: 1e-4 };
    check(
        [4, 5],
        |g, x| g.layer(norm, x),
        |x, p| x.layer_norm(5, Some(&p[0]), Some(&p[1]), 1e-4, false),
    );
}

#[test]
fn group_norm_of_the_channels() {
    let norm = GroupNorm { groups: 2, affine: true, eps: 1e-4 };
    check(
        [4, 5, 3],
        |g, x| g.layer(norm, x),
        |x, p| x.group_norm(2, Some(&p[0]), Some(&p[1]), 1e-4, false),
    );
}

#[test]
fn activations() {
    use Activation as A;
    type ByHand = fn(&Tensor) -> Tensor;
    let cases: [(A, ByHand); 11] = [
        (A::Relu, |x| x.relu()),
        (A::Relu6, |x| x.relu() - (x - 6.0).relu()),
        (A::LeakyRelu, |x| x.maximum(&(x * 0.01))),
        (A::Elu, |x| x.relu() + x.clamp_max(0.0).expm1()),
        (A::Gelu, |x| x * ((x / 2f64.sqrt()).erf() + 1.0) / 2.0),
        (A::Silu, |x| x * x.sigmoid()),
        (A::HardSwish, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        // libtorch's gradient of it multiplies by a 32-bit sixth.
        (A::HardSigmoid, |x| x.hardsigmoid()),
        (A::Sigmoid, |x| ((-x).exp() + 1.0).reciprocal()),
        (A::Tanh, |x| x.tanh()),
        (A::Mish, |x| x * x.softplus().tanh()),
    ];
    for (activation, by_hand) in cases {
        check([4, 5, 6], |g, x| g.layer(activation, x), |x, _| by_hand(x));
    }
}

#[test]
fn pools_of_images() {
    check(
        [4, 7, 8],
        |g, x| g.layer(Pool2d::max(3).stride(2).padding(1), x),
        |x, _| x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false),
    );
    for (count_padding, stride) in [(false, 1), (true, 1), (false, 2), (true, 2), (false, 3)] {
        let mut pool = Pool2d::average(3).padding(1).stride(stride as usize);
        pool.kind = PoolKind::Average { count_padding };
        check(
            [4, 7, 8],
            |g, x| g.layer(pool, x),
            |x, _| x.avg_pool2d([3, 3], [stride, stride], [1, 1], false, count_padding, None),
        );
    }
}

#[test]
fn pools_of_series() {
    check(
        [4, 9],
        |g, x| g.layer(Pool1d::max(3).stride(2).padding(1), x),
        |x, _| x.max_pool1d(3, 2, 1, 1, false),
    );
    let mut pool = Pool1d::average(3).padding(1);
    pool.kind = PoolKind::Average { count_padding: true };
    check([4, 9], |g, x| g.layer(pool, x), |x, _| x.avg_pool1d(3, 1, 1, false, true));
}

#[test]
fn pools_to_a_fixed_extent() {
    check(
        [4, 7, 8],
        |g, x| g.layer(Adaptive { output: vec![3, 2] }, x),
        |x, _| x.adaptive_avg_pool2d([3, 2]),
    );
    check([4, 9], |g, x| g.layer(Adaptive { output: vec![2] }, x), |x, _| x.adaptive_avg_pool1d(2));
    check([4, 7, 8], |g, x| g.global_avg_pool(x), |x, _| x.flatten(2, 3).mean_dim(2, false, None));
}

#[test]
fn sums_products_and_factors() {
    check([4, 5, 6], |g, x| g.add(&[x, x, x]), |x, _| x + x + x);
    check(
        [4, 5, 6],
        |g, x| {
            let gate = g.layer(Adaptive { output: vec![1, 1] }, x);
            g.node(Layer::Mul, &[x, gate])
        },
        |x, _| x * x.adaptive_avg_pool2d([1, 1]),
    );
    check([4], |g, x| g.layer(Layer::Scale { factor: -1.5 }, x), |x, _| x * -1.5);
}

#[test]
fn cutting_and_joining() {
    let join = Concat { axis: 1, unordered: false };
    check([4, 5, 6], |g, x| g.node(join.into(), &[x, x]), |x, _| Tensor::cat(&[x, x], 2));
    let cut = Slice { axis: 2, start: 1, end: None, step: 2 };
    check([4, 5, 6], |g, x| g.layer(cut, x), |x, _| x.slice(3, 1, None, 2));
}

#[test]
fn reordering_keeps_the_order_of_channels_first() {
    check([4, 5, 6], |g, x| g.layer(Layer::Flatten, x), |x, _| x.contiguous().view([3, 120]));
    let shape = Shape::from([20, 6]);
    check([4, 5, 6], |g, x| g.layer(Layer::Reshape { shape }, x), |x, _| x.reshape([3, 20, 6]));
    let swap = Layer::Transpose { first: 0, second: 2 };
    check([4, 5, 6], |g, x| g.layer(swap, x), |x, _| x.transpose(1, 3));
}

#[test]
fn attention_from_its_parts() {
    let transposed = MatMul { transpose_second: true };
    check(
        [5, 8],
        |g, x| {
            let scores = g.node(transposed.into(), &[x, x]);
            let weights = g.layer(Layer::Softmax { axis: 1 }, scores);
            g.node(MatMul { transpose_second: false }.into(), &[weights, x])
        },
        |x, _| x.matmul(&x.transpose(1, 2)).softmax(2, None).matmul(x),
    );
}

#[test]
fn embedding_of_tokens() {
    let mut g = GraphBuilder::new();
    let tokens = g.input([4]);
    let vectors = g.layer(Embedding { vocabulary: 9, features: 3 }, tokens);
    let network = Network::build(&g.finish(vectors).unwrap(), 0, Options::on(Device::Cpu)).unwrap();
    let tokens = Tensor::from_slice(&[8.0_f32, 0.0, 3.0, 3.0]).view([1, 4]);
    let weight = &network.parameters().learnt()[0].tensor;
    let expected = weight.index_select(0, &tokens.to_kind(Kind::Int64).view(4)).view([1, 4, 3]);
    assert_eq!(network.forward(&tokens).unwrap(), expected);
}

#[test]
fn zero_is_made_where_something_other_than_a_sum_reads_it() {
    check(
        [4, 5, 6],
        |g, x| {
            let zero = g.zero([2, 5, 6], x);
            g.concat(&[x, zero])
        },
        |x, _| Tensor::cat(&[x, &x.narrow(1, 0, 2).zeros_like()], 1),
    );
}

#[test]
fn dropout_scales_what_it_keeps() {
    let mut g = GraphBuilder::new();
    let x = g.input([1000]);
    let dropped = g.layer(Layer::Dropout { probability: 0.25 }, x);
    let network = Network::build(&g.finish(dropped).unwrap(), 0, Options::on(Device::Cpu)).unwrap();
    let ones = Tensor::ones([1, 1000], (Kind::Float, Device::Cpu));
    assert_eq!(network.forward(&ones).unwrap(), ones);
    let kept = network.forward_training(&ones).unwrap().remove(0);
    let share = kept.gt(0.0).to_kind(Kind::Double).mean(None::<Kind>).double_value(&[]);
    assert!((share - 0.75).abs() < 0.06, "{share}");
    assert!((kept.max().double_value(&[]) - 1.0 / 0.75).abs() < 1e-6);
}

#[test]
fn drop_path_drops_whole_examples_and_only_in_training() {
    let mut g = GraphBuilder::new();
    let x = g.input([2, 3, 3]);
    let dropped = g.layer(Layer::DropPath, x);
    let graph = g.finish(dropped).unwrap();
    let mut network = Network::build(&graph, 0, Options::on(Device::Cpu)).unwrap();
    let ones = Tensor::ones([400, 2, 3, 3], (Kind::Float, Device::Cpu));
    network.set_drop_path(0.5);
    assert_eq!(network.forward(&ones).unwrap(), ones);
    let kept = network.forward_training(&ones).unwrap().remove(0).view([400, 18]);
    let (least, most) = (kept.amin(1, false), kept.amax(1, false));
    assert_eq!(least, most);
    let mean = kept.mean(None::<Kind>).double_value(&[]);
    assert!((mean - 1.0).abs() < 0.2, "{mean}");
    assert_eq!(most.max().double_value(&[]), 2.0);
}
