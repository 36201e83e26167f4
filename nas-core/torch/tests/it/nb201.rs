//! One network of NAS-Bench-201, as a layer graph and by hand: 16 channels, one cell a stage.

use nas_plugin_api::graph::{BatchNorm, Conv2d, Graph, GraphBuilder, Layer, NodeIndex, Pool2d};
use tch::nn::{self, Module, ModuleT};
use tch::{Tensor, nn::Path};

/// The operations of its edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3.
pub(crate) const CELL: [Edge; 6] =
    [Edge::Conv(3), Edge::Skip, Edge::Conv(3), Edge::Conv(1), Edge::Average, Edge::Conv(3)];
pub(crate) const CHANNELS: usize = 16;

#[derive(Clone, Copy)]
pub(crate) enum Edge {
    Skip,
    Conv(usize),
    Average,
}

/// The network as a layer graph.
pub(crate) fn graph(shape: [usize; 3]) -> Graph {
    let mut g = GraphBuilder::new();
    let image = g.input(shape);
    let x = g.layer(Conv2d::new(CHANNELS, 3).padding(1), image);
    let mut x = g.batch_norm(x);
    for stage in 0..3 {
        let channels = CHANNELS << stage;
        if stage > 0 {
            let main = relu_conv_norm(&mut g, x, channels, 3, 2);
            let main = relu_conv_norm(&mut g, main, channels, 3, 1);
            let mut pool = Pool2d::average(2).stride(2);
            pool.padding = [0, 0];
            let shortcut = g.layer(Layer::Pool2d(pool), x);
            let shortcut = g.layer(Conv2d::new(channels, 1), shortcut);
            x = g.add(&[main, shortcut]);
        }
        let mut states = vec![x];
        let mut edges = CELL.iter();
        for node in 1..4 {
            let terms: Vec<NodeIndex> = states
                .clone()
                .into_iter()
                .zip(edges.by_ref().take(node))
                .map(|(state, edge)| match edge {
                    Edge::Skip => g.layer(Layer::Identity, state),
                    Edge::Conv(kernel) => relu_conv_norm(&mut g, state, channels, *kernel, 1),
                    Edge::Average => g.layer(Pool2d::average(3).padding(1), state),
                })
                .collect();
            states.push(g.add(&terms));
        }
        x = states[3];
    }
    let x = g.layer(BatchNorm::default(), x);
    let x = g.relu(x);
    let x = g.global_avg_pool(x);
    let logits = g.linear(10, x);
    g.finish(logits).unwrap()
}

fn relu_conv_norm(
    g: &mut GraphBuilder,
    x: NodeIndex,
    channels: usize,
    kernel: usize,
    stride: usize,
) -> NodeIndex {
    let x = g.relu(x);
    let x = g.layer(Conv2d::new(channels, kernel).stride(stride).padding(kernel / 2), x);
    g.batch_norm(x)
}

/// The network as one writes it with tch's own modules.
#[derive(Debug)]
pub(crate) struct ByHand {
    stem: (nn::Conv2D, nn::BatchNorm),
    stages: Vec<Stage>,
    norm: nn::BatchNorm,
    linear: nn::Linear,
}

#[derive(Debug)]
struct Stage {
    residual: Option<(ConvNorm, ConvNorm, nn::Conv2D)>,
    /// In the order of the edges; none where the edge has no parameters.
    edges: Vec<Option<ConvNorm>>,
}

#[derive(Debug)]
struct ConvNorm(nn::Conv2D, nn::BatchNorm);

impl ConvNorm {
    fn new(p: Path, from: i64, to: i64, kernel: i64, stride: i64) -> Self {
        Self(conv(&p / "conv", from, to, kernel, stride), norm(&p / "norm", to))
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.1.forward_t(&self.0.forward(&x.relu()), train)
    }
}

fn conv(p: Path, from: i64, to: i64, kernel: i64, stride: i64) -> nn::Conv2D {
    let padding = kernel / 2;
    let config = nn::ConvConfig { stride, padding, bias: false, ..Default::default() };
    nn::conv2d(p, from, to, kernel, config)
}

fn norm(p: Path, channels: i64) -> nn::BatchNorm {
    let ws_init = nn::Init::Const(1.0);
    nn::batch_norm2d(p, channels, nn::BatchNormConfig { ws_init, ..Default::default() })
}

impl ByHand {
    pub(crate) fn new(p: &Path, image_channels: i64) -> Self {
        let channels = CHANNELS as i64;
        let stem =
            (conv(p / "stem", image_channels, channels, 3, 1), norm(p / "stem_norm", channels));
        let stages = (0..3_i64)
            .map(|stage| {
                let (p, to) = (p / stage, channels << stage);
                let residual = (stage > 0).then(|| {
                    (
                        ConvNorm::new(&p / "a", to / 2, to, 3, 2),
                        ConvNorm::new(&p / "b", to, to, 3, 1),
                        conv(&p / "shortcut", to / 2, to, 1, 1),
                    )
                });
                let edge = |(index, edge): (usize, &Edge)| match edge {
                    Edge::Conv(kernel) => {
                        Some(ConvNorm::new(&p / index as i64, to, to, *kernel as i64, 1))
                    }
                    _ => None,
                };
                Stage { residual, edges: CELL.iter().enumerate().map(edge).collect() }
            })
            .collect();
        let last = channels << 2;
        let norm = norm(p / "norm", last);
        Self { stem, stages, norm, linear: nn::linear(p / "linear", last, 10, Default::default()) }
    }

    pub(crate) fn forward(&self, images: &Tensor, train: bool) -> Tensor {
        let mut x = self.stem.1.forward_t(&self.stem.0.forward(images), train);
        for stage in &self.stages {
            if let Some((a, b, shortcut)) = &stage.residual {
                let main = b.forward(&a.forward(&x, train), train);
                x = main
                    + shortcut.forward(&x.avg_pool2d([2, 2], [2, 2], [0, 0], false, false, None));
            }
            let mut states = vec![x];
            let mut index = 0;
            for node in 1..4 {
                let mut sum: Option<Tensor> = None;
                for state in &states[..node] {
                    let term = match CELL[index] {
                        Edge::Skip => state.shallow_clone(),
                        Edge::Average => {
                            state.avg_pool2d([3, 3], [1, 1], [1, 1], false, false, None)
                        }
                        Edge::Conv(_) => stage.edges[index].as_ref().unwrap().forward(state, train),
                    };
                    sum = Some(match sum {
                        Some(sum) => sum + term,
                        None => term,
                    });
                    index += 1;
                }
                states.extend(sum);
            }
            x = states.remove(3);
        }
        let x = self.norm.forward_t(&x, train).relu();
        self.linear.forward(&x.mean_dim([2_i64, 3].as_slice(), false, None))
    }
}
