//! Zeros add nothing: they leave sums, and layers that keep zero at zero become zeros themselves.

use nas_plugin_api::graph::{Activation, Graph, Layer, PoolKind};

/// Takes zeros out of sums. What only zeros reach and zeros leave unchanged becomes a zero.
pub fn drop_zero(graph: &mut Graph) {
    let Ok(shapes) = graph.shapes() else { return };
    for (index, shape) in shapes.into_iter().enumerate() {
        if matches!(graph.nodes[index].layer, Layer::Zero { .. }) {
            // Its inputs are read in name only.
            graph.nodes[index].inputs.clear();
            continue;
        }
        let is_zero = |&input: &usize| matches!(graph.nodes[input].layer, Layer::Zero { .. });
        let node = &graph.nodes[index];
        let zeros = node.inputs.iter().filter(|input| is_zero(input)).count();
        if zeros == 0 {
            continue;
        }
        if zeros == node.inputs.len() && keeps_zero(&node.layer) {
            graph.nodes[index].layer = Layer::Zero { shape };
            graph.nodes[index].inputs.clear();
        } else if matches!(node.layer, Layer::Add) {
            let kept: Vec<usize> =
                node.inputs.iter().filter(|input| !is_zero(input)).copied().collect();
            graph.nodes[index].inputs = kept;
        }
    }
}

fn keeps_zero(layer: &Layer) -> bool {
    match layer {
        Layer::Identity
        | Layer::Add
        | Layer::Mul
        | Layer::Concat(_)
        | Layer::Slice(_)
        | Layer::Scale { .. }
        | Layer::Transpose { .. }
        | Layer::Reshape { .. }
        | Layer::Flatten
        | Layer::AdaptiveAvgPool(_)
        | Layer::GlobalAvgPool
        | Layer::Dropout { .. }
        | Layer::DropPath => true,
        Layer::Pool1d(pool) => matches!(pool.kind, PoolKind::Average { .. }),
        Layer::Pool2d(pool) => matches!(pool.kind, PoolKind::Average { .. }),
        Layer::Activation(function) => {
            !matches!(function, Activation::Sigmoid | Activation::HardSigmoid)
        }
        _ => false,
    }
}
