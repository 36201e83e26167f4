//! The network of `nb201.rs` as one writes it with tch's own modules.

use tch::Tensor;
use tch::nn::{self, Module, ModuleT, Path};

use crate::nb201::{CELL, CHANNELS, Edge};

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
                        Edge::Conv(_) => stage.edges[index]
                            .as_ref()
                            .expect("a convolution")
                            .forward(state, train),
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
