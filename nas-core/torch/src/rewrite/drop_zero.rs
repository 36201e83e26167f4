//! Zeros add nothing: they leave sums, and layers that keep zero at zero become zeros themselves.
//!
//! In a mixture, the path of a zero keeps its weight: it takes part in a strategy's softmax, and
//! the gradient of its weight is zero.

use nas_plugin_api::graph::{Activation, Layer, PoolKind};

use crate::program::{Op, Program};

/// Takes zeros out of sums. What only zeros reach and zeros leave unchanged becomes a zero.
pub fn drop_zero(program: &mut Program) {
    for index in 0..program.nodes.len() {
        let zero = Op::Layer(Layer::Zero { shape: program.nodes[index].shape.clone() });
        if matches!(program.nodes[index].op, Op::Layer(Layer::Zero { .. })) {
            // Its inputs are read in name only.
            program.nodes[index].inputs.clear();
            continue;
        }
        let is_zero: Vec<bool> = program.nodes[index]
            .inputs
            .iter()
            .map(|&input| matches!(program.nodes[input].op, Op::Layer(Layer::Zero { .. })))
            .collect();
        let n_zeros = is_zero.iter().filter(|&&zero| zero).count();
        let node = &mut program.nodes[index];
        if n_zeros == 0 {
            continue;
        }
        if n_zeros == node.inputs.len() && keeps_zero(&node.op) {
            node.op = zero;
            node.inputs.clear();
        } else if let Op::Sum { terms } = &mut node.op {
            let mut stays = is_zero.iter().map(|zero| !zero);
            terms.retain(|_| stays.next().unwrap_or(true));
            let mut stays = is_zero.iter().map(|zero| !zero);
            node.inputs.retain(|_| stays.next().unwrap_or(true));
        }
    }
}

fn keeps_zero(op: &Op) -> bool {
    let layer = match op {
        Op::Layer(layer) => layer,
        Op::Sum { .. } | Op::Subsample { .. } | Op::WidthMask { .. } => return true,
        Op::NormalizedSum { .. } | Op::MergedConvolution { .. } => return false,
    };
    match layer {
        Layer::Identity
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
