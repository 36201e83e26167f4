//! Batch norms become part of what reads them: the sum of a node, or a ReLU.
//!
//! A normalised term of a sum is its input times a scale plus a shift, so the sum needs no
//! normalised map at all; the statistics and both gradients take one pass each.

use nas_plugin_api::graph::{Activation, BatchNorm, Layer};

use crate::program::{Norm, Op, Program, Term};

/// Turns batch norms into [`Op::NormalizedSum`]s, with the sum or ReLU that alone reads them.
pub fn fuse_norms(program: &mut Program) {
    let reads = program.count_reads();
    for index in 0..program.nodes.len() {
        match &program.nodes[index].op {
            Op::Sum { .. } => fuse_into_sum(program, index, &reads),
            Op::Layer(Layer::BatchNorm(norm)) => {
                let name = program.nodes[index].name.clone();
                let norms = vec![Norm { name, layer: norm.clone() }];
                program.nodes[index].op =
                    Op::NormalizedSum { norms, terms: vec![Term::default()], relu: false };
            }
            Op::Layer(Layer::Activation(Activation::Relu)) => {
                let input = program.nodes[index].inputs[0];
                if let Op::NormalizedSum { relu: false, .. } = &program.nodes[input].op
                    && reads[input] == 1
                {
                    let mut op = program.nodes[input].op.clone();
                    if let Op::NormalizedSum { relu, .. } = &mut op {
                        *relu = true;
                    }
                    program.nodes[index].op = op;
                    program.nodes[index].inputs = program.nodes[input].inputs.clone();
                }
            }
            _ => {}
        }
    }
}

/// The normalised terms of a sum that only the sum reads; they come first.
fn fuse_into_sum(program: &mut Program, index: usize, reads: &[usize]) {
    let Op::Sum { terms } = &program.nodes[index].op else { return };
    let inputs = &program.nodes[index].inputs;
    let alone = |input: usize| match &program.nodes[input].op {
        Op::NormalizedSum { norms, terms, relu: false }
            if reads[input] == 1
                && norms.len() == 1
                && terms.len() == 1
                && terms[0].paths.is_empty() =>
        {
            Some(&norms[0])
        }
        _ => None,
    };
    let Some(first) = inputs.iter().find_map(|&input| alone(input)) else { return };
    let (mut norms, mut fused, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for (term, &input) in terms.iter().zip(inputs) {
        match alone(input) {
            Some(norm) if alike(&norm.layer, &first.layer) => {
                norms.push(norm.clone());
                fused.push((term.clone(), program.nodes[input].inputs[0]));
            }
            _ => plain.push((term.clone(), input)),
        }
    }
    let (terms, inputs) = fused.into_iter().chain(plain).unzip();
    program.nodes[index].op = Op::NormalizedSum { norms, terms, relu: false };
    program.nodes[index].inputs = inputs;
}

fn alike(one: &BatchNorm, other: &BatchNorm) -> bool {
    one == other
}
