//! One network of NAS-Bench-201 as a layer graph: 16 channels, one cell a stage.

use nas_plugin_api::graph::{BatchNorm, Conv2d, Graph, GraphBuilder, Layer, NodeIndex, Pool2d};

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
    g.finish(logits).expect("a sound graph")
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
